//! Sales: pipelines are walked by opportunities, which are won or lost; the funnel counts them.

#![warn(missing_docs)]

mod access;
mod account;
mod approval_rule;
mod cart;
mod chain;
mod decimal;
mod delivery_note;
mod document;
mod events;
mod foreign;
mod forms;
mod funnel;
mod kit;
mod number_series;
mod opportunity;
mod order;
mod overdue;
mod own_team;
mod paper;
mod parties;
mod pipeline;
mod price;
mod price_list;
mod pricing;
mod product;
mod promotion;
mod quote;
mod references;
mod rendering;
mod return_policy;
mod sales_return;
mod subscriptions;
mod tax_code;

use futures::FutureExt as _;
use trato_platform::{ServiceSpec, config::Loader, migrations};
use trato_proto::sales::v1::{
    access_service_server::AccessServiceServer, approval_rule_service_server::ApprovalRuleServiceServer,
    cart_service_server::CartServiceServer, chain_service_server::ChainServiceServer,
    delivery_note_service_server::DeliveryNoteServiceServer, event_service_server::EventServiceServer,
    funnel_service_server::FunnelServiceServer, opportunity_service_server::OpportunityServiceServer,
    order_service_server::OrderServiceServer, pipeline_service_server::PipelineServiceServer,
    price_list_service_server::PriceListServiceServer, price_service_server::PriceServiceServer,
    pricing_service_server::PricingServiceServer, product_service_server::ProductServiceServer,
    promotion_service_server::PromotionServiceServer, quote_service_server::QuoteServiceServer,
    return_policy_service_server::ReturnPolicyServiceServer,
    sales_number_series_service_server::SalesNumberSeriesServiceServer,
    sales_return_service_server::SalesReturnServiceServer,
};

pub use cart::abandon as abandon_carts;
pub use chain::count_stalled as count_stalled_chains;
pub use order::break_promises;
pub use quote::expire as expire_quotes;

/// The table of contents.
pub fn service() -> ServiceSpec {
    let config = include_str!("../config.toml");
    ServiceSpec::new("sales", config, trato_proto::BARE_DESCRIPTORS, trato_proto::ROLES)
        .settings(sections)
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
            "0012_number_series",
            "0013_approval_rule",
            "0014_quote",
            "0015_promotion_uses",
            "0016_order",
            "0017_delivery_note",
            "0018_billed_line",
            "0019_return_policy",
            "0020_sales_return",
            "0021_printed",
            "0022_billed_quote",
            "0023_taken_budget",
            "0024_cart",
            "0025_stalled_chain",
            "0026_billed_charge",
            "0027_time_zone",
            "0028_credit_hold",
            "0029_quote_guard_once",
            "0030_awaits_invoice",
            "0031_awaited_return",
            "0032_valid_before",
            "0033_last_issue_date",
            "0034_issue_time",
            "0035_kits",
            "0036_quote_send_date",
            "0037_kits_validated",
        ])
        .keep::<product::Product>()
        .keep::<price_list::PriceList>()
        .keep::<price::Price>()
        .keep::<promotion::Promotion>()
        .keep::<pipeline::Pipeline>()
        .keep::<opportunity::Opportunity>()
        .keep::<number_series::NumberSeries>()
        .keep::<approval_rule::ApprovalRule>()
        .keep::<quote::Quote>()
        .keep::<order::Order>()
        .keep::<cart::Cart>()
        .keep::<delivery_note::DeliveryNote>()
        .keep::<return_policy::ReturnPolicy>()
        .keep::<sales_return::SalesReturn>()
        .serve(|app| ProductServiceServer::new(product::Api::new(app)))
        .serve(|app| PriceListServiceServer::new(price_list::Api::new(app)))
        .serve(|app| PriceServiceServer::new(price::Api::new(app)))
        .serve(|app| PromotionServiceServer::new(promotion::Api::new(app)))
        .serve(|app| PricingServiceServer::new(pricing::Api::new(app)))
        .serve(|app| PipelineServiceServer::new(pipeline::Api::new(app)))
        .serve(|app| OpportunityServiceServer::new(opportunity::Api::new(app)))
        .serve(|app| SalesNumberSeriesServiceServer::new(number_series::Api::new(app)))
        .serve(|app| ApprovalRuleServiceServer::new(approval_rule::Api::new(app)))
        .serve(|app| QuoteServiceServer::new(quote::Api::new(app)))
        .serve(|app| OrderServiceServer::new(order::Api::new(app)))
        .serve(|app| CartServiceServer::new(cart::Api::new(app)))
        .serve(|app| DeliveryNoteServiceServer::new(delivery_note::Api::new(app)))
        .serve(|app| ReturnPolicyServiceServer::new(return_policy::Api::new(app)))
        .serve(|app| SalesReturnServiceServer::new(sales_return::Api::new(app)))
        .serve(|app| FunnelServiceServer::new(funnel::Api::new(app)))
        .serve(|app| ChainServiceServer::new(chain::Api::new(app)))
        .serve(|app| EventServiceServer::new(events::Api::new(app)))
        .serve(|app| AccessServiceServer::new(access::Api::new(app)))
        .asks(&["trato.customers", "trato.billing"])
        .on(subscriptions::project_accounts())
        .on(subscriptions::project_tax_codes())
        .on(subscriptions::project_legal_entities())
        .on(subscriptions::project_recipients())
        .on(order::record_invoices())
        .on(order::record_credit_notes())
        .on(order::hold_orders())
        .every(order::JOB, order::PERIOD, |app| order::watch_promises(app).boxed())
        .every(quote::EXPIRY, quote::EXPIRY_PERIOD, |app| quote::run_expiry(app).boxed())
        .every(cart::JOB, cart::PERIOD, |app| cart::run_abandonment(app).boxed())
        .every(chain::COUNT, chain::COUNT_PERIOD, |app| chain::count(app).boxed())
}

/// The sections of settings that are of sales alone.
fn sections(loader: Loader) -> Loader {
    loader.section::<cart::Settings>().section::<chain::Settings>()
}
