//! Sales: pipelines are walked by opportunities, which are won or lost; the funnel counts them.

#![warn(missing_docs)]

mod access;
mod account;
mod decimal;
mod delivery_note;
mod document;
mod events;
mod foreign;
mod forms;
mod funnel;
mod opportunity;
mod order;
mod pipeline;
mod price;
mod price_list;
mod pricing;
mod product;
mod promotion;
mod subscriptions;
mod tax_code;

use trato_platform::{ServiceSpec, migrations};
use trato_proto::sales::v1::{
    access_service_server::AccessServiceServer, delivery_note_service_server::DeliveryNoteServiceServer,
    event_service_server::EventServiceServer, funnel_service_server::FunnelServiceServer,
    opportunity_service_server::OpportunityServiceServer, order_service_server::OrderServiceServer,
    pipeline_service_server::PipelineServiceServer, price_list_service_server::PriceListServiceServer,
    price_service_server::PriceServiceServer, pricing_service_server::PricingServiceServer,
    product_service_server::ProductServiceServer, promotion_service_server::PromotionServiceServer,
};

/// The table of contents.
pub fn service() -> ServiceSpec {
    ServiceSpec::new("sales", include_str!("../config.toml"), trato_proto::DESCRIPTORS, trato_proto::ROLES)
        .migrations(migrations![
            "0001_product",
            "0002_pipeline",
            "0003_account",
            "0004_opportunity",
            "0005_product_catalogue",
            "0006_price_list",
            "0007_price",
            "0008_promotion",
            "0009_tax_code",
            "0010_product_options",
            "0011_product_checks",
            "0016_order",
            "0017_delivery_note",
            "0018_billed_line",
        ])
        .keep::<product::Product>()
        .keep::<price_list::PriceList>()
        .keep::<price::Price>()
        .keep::<promotion::Promotion>()
        .keep::<pipeline::Pipeline>()
        .keep::<opportunity::Opportunity>()
        .keep::<order::Order>()
        .keep::<delivery_note::DeliveryNote>()
        .serve(|app| ProductServiceServer::new(product::Api::new(app)))
        .serve(|app| PriceListServiceServer::new(price_list::Api::new(app)))
        .serve(|app| PriceServiceServer::new(price::Api::new(app)))
        .serve(|app| PromotionServiceServer::new(promotion::Api::new(app)))
        .serve(|app| PricingServiceServer::new(pricing::Api::new(app)))
        .serve(|app| PipelineServiceServer::new(pipeline::Api::new(app)))
        .serve(|app| OpportunityServiceServer::new(opportunity::Api::new(app)))
        .serve(|app| OrderServiceServer::new(order::Api::new(app)))
        .serve(|app| DeliveryNoteServiceServer::new(delivery_note::Api::new(app)))
        .serve(|app| FunnelServiceServer::new(funnel::Api::new(app)))
        .serve(|app| EventServiceServer::new(events::Api::new(app)))
        .serve(|app| AccessServiceServer::new(access::Api::new(app)))
        .on(subscriptions::project_accounts())
        .on(subscriptions::project_tax_codes())
        .on(order::record_invoices())
        .on(order::record_credit_notes())
        .every(order::JOB, order::PERIOD, order::find_broken_promises())
}
