//! Billing: legal entities make out invoices, in numbers of their series, with taxes of the day.

#![warn(missing_docs)]

mod access;
mod bank_statement;
mod billable;
mod books;
mod chain;
mod columns;
mod counter;
mod credit_note;
mod credit_profile;
mod credit_reservation;
mod delivery_note;
mod dunning_policy;
mod dunning_state;
mod e_invoice;
mod events;
mod exchange_rate;
mod fields;
mod foreign;
mod invoice;
mod issuing;
mod ledger;
mod legal_entity;
mod lookup;
mod number_series;
mod paper;
mod parked_task;
mod payment;
mod payment_term;
mod receivables;
mod rendering;
mod subscriptions;
mod tax_code;
mod verify;

use futures::FutureExt as _;
use trato_platform::{ServiceSpec, migrations};
use trato_proto::billing::v1::{
    access_service_server::AccessServiceServer, bank_statement_service_server::BankStatementServiceServer,
    credit_note_service_server::CreditNoteServiceServer,
    credit_profile_service_server::CreditProfileServiceServer,
    credit_reservation_service_server::CreditReservationServiceServer,
    dunning_policy_service_server::DunningPolicyServiceServer,
    dunning_state_service_server::DunningStateServiceServer, event_service_server::EventServiceServer,
    exchange_rate_service_server::ExchangeRateServiceServer, invoice_service_server::InvoiceServiceServer,
    ledger_service_server::LedgerServiceServer, legal_entity_service_server::LegalEntityServiceServer,
    number_series_service_server::NumberSeriesServiceServer,
    parked_task_service_server::ParkedTaskServiceServer, payment_service_server::PaymentServiceServer,
    payment_term_service_server::PaymentTermServiceServer,
    receivables_service_server::ReceivablesServiceServer, tax_code_service_server::TaxCodeServiceServer,
};

pub use dunning_state::run_dunning;
pub use invoice::count_owed_refunds;
pub use payment::count_unsettled;

/// The table of contents.
pub fn service() -> ServiceSpec {
    let config = include_str!("../config.toml");
    ServiceSpec::new("billing", config, trato_proto::BARE_DESCRIPTORS, trato_proto::ROLES)
        .migrations(migrations![
            "0001_legal_entity",
            "0002_tax_code",
            "0003_payment_term",
            "0004_exchange_rate",
            "0005_number_series",
            "0006_invoice",
            "0007_credit_note",
            "0008_ledger",
            "0009_payment",
            "0010_credit_profile",
            "0011_credit_reservation",
            "0012_account",
            "0013_product",
            "0014_billable_line",
            "0015_legal_entity_logo",
            "0016_credit_of_orders",
            "0017_dunning_policy",
            "0018_dunning_state",
            "0019_parked_task",
            "0020_payment_key",
            "0021_posting_turn",
            "0022_write_off_again",
            "0023_billable_line_known",
            "0024_order_of_quote",
            "0025_invoice_within_basis",
            "0026_invoice_source",
            "0027_bank_entry",
            "0028_payment_unsettled",
            "0029_credit_note_return",
            "0030_open_reservation",
            "0031_takeover",
            "0032_exposure_basis",
            "0033_free_credit",
            "0034_validated",
            "0035_open_items",
            "0036_number_key",
            "0037_left_is_credited",
            "0038_more_lines",
            "0039_more_lines_validated",
            "0040_asked_task",
            "0041_owed_refund_idx",
            "0042_counted_refunds",
            "0043_asked_task_done",
        ])
        .keep::<legal_entity::LegalEntity>()
        .keep::<tax_code::TaxCode>()
        .keep::<payment_term::PaymentTerm>()
        .keep::<exchange_rate::ExchangeRate>()
        .keep::<number_series::NumberSeries>()
        .keep::<invoice::Invoice>()
        .keep::<credit_note::CreditNote>()
        .keep::<ledger::Ledger>()
        .keep::<payment::Payment>()
        .keep::<credit_profile::CreditProfile>()
        .keep::<credit_reservation::CreditReservation>()
        .keep::<dunning_policy::DunningPolicy>()
        .keep::<dunning_state::DunningState>()
        .keep::<parked_task::ParkedTask>()
        .serve(|app| LegalEntityServiceServer::new(legal_entity::Api::new(app)))
        .serve(|app| TaxCodeServiceServer::new(tax_code::Api::new(app)))
        .serve(|app| PaymentTermServiceServer::new(payment_term::Api::new(app)))
        .serve(|app| ExchangeRateServiceServer::new(exchange_rate::Api::new(app)))
        .serve(|app| NumberSeriesServiceServer::new(number_series::Api::new(app)))
        .serve(|app| InvoiceServiceServer::new(invoice::Api::new(app)))
        .serve(|app| CreditNoteServiceServer::new(credit_note::Api::new(app)))
        .serve(|app| LedgerServiceServer::new(ledger::Api::new(app)))
        .serve(|app| PaymentServiceServer::new(payment::Api::new(app)))
        .serve(|app| ReceivablesServiceServer::new(receivables::Api::new(app)))
        .serve(|app| BankStatementServiceServer::new(bank_statement::Api::new(app)))
        .serve(|app| CreditProfileServiceServer::new(credit_profile::Api::new(app)))
        .serve(|app| CreditReservationServiceServer::new(credit_reservation::Api::new(app)))
        .serve(|app| DunningPolicyServiceServer::new(dunning_policy::Api::new(app)))
        .serve(|app| DunningStateServiceServer::new(dunning_state::Api::new(app)))
        .serve(|app| ParkedTaskServiceServer::new(parked_task::Api::new(app)))
        .serve(|app| EventServiceServer::new(events::Api::new(app)))
        .serve(|app| AccessServiceServer::new(access::Api::new(app)))
        .asks(&["trato.customers", "trato.sales"])
        .on(subscriptions::project_accounts())
        .on(subscriptions::project_products())
        .on(delivery_note::project_delivery_notes())
        .on(credit_reservation::follow_orders())
        .on(credit_profile::hold_over_limit())
        .on(invoice::follow_bases())
        .every(dunning_state::JOB, dunning_state::PERIOD, |app| dunning_state::run_job(app).boxed())
        .every(parked_task::COUNT, parked_task::COUNT_PERIOD, |app| parked_task::count(app).boxed())
        .every(invoice::REFUNDS, invoice::REFUNDS_PERIOD, |app| invoice::count_refunds(app).boxed())
        .every(payment::COUNT, payment::COUNT_PERIOD, |app| payment::count(app).boxed())
}
