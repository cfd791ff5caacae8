//! The edge of the suite: JSON over HTTP, gRPC and gRPC-Web on one port, in front of the services.
//!
//! It knows no service: routes, JSON, errors and the API document all come from the descriptors, and addresses from
//! the settings.

mod body;
pub mod codec;
pub mod config;
pub mod edge;
mod headers;
pub mod openapi;
pub mod request;
mod response;
pub mod routes;
mod run;
pub mod schema;
pub mod server;
mod status;
pub mod template;
mod upstreams;

pub use edge::Contract;
pub use run::{Running, run};
