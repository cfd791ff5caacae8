//! Billing: legal entities make out invoices, in numbers of their series, with taxes of the day.

#![warn(missing_docs)]

mod access;
mod chain;
mod columns;
mod counter;
mod credit_note;
mod e_invoice;
mod events;
mod exchange_rate;
mod fields;
mod foreign;
mod invoice;
mod issuing;
mod legal_entity;
mod lookup;
mod number_series;
mod paper;
mod payment_term;
mod rendering;
mod tax_code;
mod verify;

use trato_platform::{ServiceSpec, migrations};
use trato_proto::billing::v1::{
    access_service_server::AccessServiceServer, credit_note_service_server::CreditNoteServiceServer,
    event_service_server::EventServiceServer, exchange_rate_service_server::ExchangeRateServiceServer,
    invoice_service_server::InvoiceServiceServer, legal_entity_service_server::LegalEntityServiceServer,
    number_series_service_server::NumberSeriesServiceServer,
    payment_term_service_server::PaymentTermServiceServer, tax_code_service_server::TaxCodeServiceServer,
};

/// The table of contents.
pub fn service() -> ServiceSpec {
    ServiceSpec::new("billing", include_str!("../config.toml"), trato_proto::DESCRIPTORS, trato_proto::ROLES)
        .migrations(migrations![
            "0001_legal_entity",
            "0002_tax_code",
            "0003_payment_term",
            "0004_exchange_rate",
            "0005_number_series",
            "0006_invoice",
            "0007_credit_note",
            "0016_legal_entity_logo",
        ])
        .keep::<legal_entity::LegalEntity>()
        .keep::<tax_code::TaxCode>()
        .keep::<payment_term::PaymentTerm>()
        .keep::<exchange_rate::ExchangeRate>()
        .keep::<number_series::NumberSeries>()
        .keep::<invoice::Invoice>()
        .keep::<credit_note::CreditNote>()
        .serve(|app| LegalEntityServiceServer::new(legal_entity::Api::new(app)))
        .serve(|app| TaxCodeServiceServer::new(tax_code::Api::new(app)))
        .serve(|app| PaymentTermServiceServer::new(payment_term::Api::new(app)))
        .serve(|app| ExchangeRateServiceServer::new(exchange_rate::Api::new(app)))
        .serve(|app| NumberSeriesServiceServer::new(number_series::Api::new(app)))
        .serve(|app| InvoiceServiceServer::new(invoice::Api::new(app)))
        .serve(|app| CreditNoteServiceServer::new(credit_note::Api::new(app)))
        .serve(|app| EventServiceServer::new(events::Api::new(app)))
        .serve(|app| AccessServiceServer::new(access::Api::new(app)))
}
