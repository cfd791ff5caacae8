//! Customers alone: its real server over a database of its own per test, without a broker.

mod account;
mod contact;
mod directory;
mod explain;
mod harness;
mod hierarchy;
mod timeline;
