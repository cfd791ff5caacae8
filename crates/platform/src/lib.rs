//! Everything of a service that touches the outside: configuration, telemetry, calls, tokens, database, events.
//!
//! Code enters the platform when two services need it and its name holds no business word.

pub mod access;
pub mod auth;
pub mod barred;
pub mod commands;
mod conditions;
pub mod config;
pub mod db;
pub mod descriptors;
pub mod directory;
pub mod doctor;
pub mod events;
pub mod foreign;
pub mod jobs;
pub mod program;
pub mod revocations;
pub mod rpc;
mod run;
#[cfg(all(test, feature = "testing"))]
mod run_tests;
mod spec;
pub mod standard;
pub mod tasks;
pub mod telemetry;
pub mod tenants;
#[cfg(feature = "testing")]
pub mod testing;
pub mod tls;
pub mod transport;

pub use self::{
    run::{Running, run},
    spec::{App, Job, ServiceSpec},
};
