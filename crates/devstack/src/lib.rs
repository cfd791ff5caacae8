//! The dev runner of Trato: PostgreSQL, RabbitMQ, an issuer and the real programs as child processes.
//!
//! `cargo dev` is its program; tests use [`Stack`] to start a stack they may break and [`Facts`] to find the shared one.
//! It links no service.

pub mod account;
mod assembly;
pub mod backing;
pub mod bench;
pub mod cargo;
pub mod certificates;
pub mod checkout;
pub mod client;
pub mod compose;
pub mod databases;
pub mod facts;
pub mod grants;
pub mod home;
pub mod http;
pub mod issuer;
pub mod keys;
pub mod lane;
pub mod load;
pub mod logs;
pub mod options;
pub mod ports;
pub mod proc;
pub mod process;
pub mod processors;
pub mod programs;
pub mod progress;
pub mod requirements;
pub mod roles;
pub mod seed;
pub mod signals;
pub mod stack;
pub mod tenants;
pub mod tokens;
pub mod trade;
pub mod unit;
pub mod variables;
pub mod wait;

pub use backing::Servers;
pub use checkout::{Checkout, Profile};
pub use facts::Facts;
pub use options::{Place, StackOptions};
pub use stack::Stack;
pub use tenants::Tenant;
pub use tokens::{Grant, Minter};
pub use wait::eventually;
