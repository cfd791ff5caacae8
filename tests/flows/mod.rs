//! What people do with the suite, from the first call to the last effect of it, through the gateway.

mod access_records;
mod accounts;
mod become_customer;
mod cash;
mod configuration;
mod contacts;
mod credit;
mod directory;
mod explained_access;
mod foreign_client;
mod funnel;
mod golden_party;
mod import;
mod installation_test;
mod invoicing;
mod lost_updates;
mod make;
pub mod orders;
mod pagination;
mod pipelines;
mod printing;
mod quotes;
mod repeated_requests;
mod returns_credited;
mod scopes;
mod stages;
mod streams;
