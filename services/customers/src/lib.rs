//! Customers: whom we know. Accounts, the people at them, what happened with both, and who in our own organisation
//! works with whom.

mod access;
mod account;
mod contact;
mod events;
mod member;
mod parents;
mod subscriptions;
mod team;
mod timeline;

use trato_platform::{ServiceSpec, migrations};
use trato_proto::{
    customers::v1::{
        access_service_server::AccessServiceServer, account_service_server::AccountServiceServer,
        contact_service_server::ContactServiceServer, event_service_server::EventServiceServer,
        timeline_service_server::TimelineServiceServer,
    },
    directory::v1::{member_service_server::MemberServiceServer, team_service_server::TeamServiceServer},
};
use trato_types::PhoneNumber;

/// The table of contents.
pub fn service() -> ServiceSpec {
    let config = include_str!("../config.toml");
    ServiceSpec::new("customers", config, trato_proto::BARE_DESCRIPTORS, trato_proto::ROLES)
        .migrations(migrations![
            "0001_team",
            "0002_member",
            "0003_account",
            "0004_contact",
            "0005_timeline_entry"
        ])
        .keep::<account::Account>()
        .keep::<contact::Contact>()
        .keep::<member::Member>()
        .keep::<team::Team>()
        .serve(|app| AccountServiceServer::new(account::Api::new(app)))
        .serve(|app| ContactServiceServer::new(contact::Api::new(app)))
        .serve(|app| TimelineServiceServer::new(timeline::Api::new(app)))
        .serve(|app| MemberServiceServer::new(member::Api::new(app)))
        .serve(|app| TeamServiceServer::new(team::Api::new(app)))
        .serve(|app| EventServiceServer::new(events::Api::new(app)))
        .serve(|app| AccessServiceServer::new(access::Api::new(app)))
        .on(subscriptions::make_customer())
        .on(subscriptions::extend_timeline())
        // The first number has the numbering plans of the world read, which takes a while.
        .warm(|| drop("+34911234567".parse::<PhoneNumber>()))
}
