//! Sales: pipelines are walked by opportunities, which are won or lost; the funnel counts them.

#![warn(missing_docs)]

mod access;
mod account;
mod events;
mod foreign;
mod forms;
mod funnel;
mod opportunity;
mod pipeline;
mod product;
mod subscriptions;

use trato_platform::{ServiceSpec, migrations};
use trato_proto::sales::v1::{
    access_service_server::AccessServiceServer, event_service_server::EventServiceServer,
    funnel_service_server::FunnelServiceServer, opportunity_service_server::OpportunityServiceServer,
    pipeline_service_server::PipelineServiceServer, product_service_server::ProductServiceServer,
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
        ])
        .keep::<product::Product>()
        .keep::<pipeline::Pipeline>()
        .keep::<opportunity::Opportunity>()
        .serve(|app| ProductServiceServer::new(product::Api::new(app)))
        .serve(|app| PipelineServiceServer::new(pipeline::Api::new(app)))
        .serve(|app| OpportunityServiceServer::new(opportunity::Api::new(app)))
        .serve(|app| FunnelServiceServer::new(funnel::Api::new(app)))
        .serve(|app| EventServiceServer::new(events::Api::new(app)))
        .serve(|app| AccessServiceServer::new(access::Api::new(app)))
        .on(subscriptions::project_accounts())
}
