//! What the tests are written with: stacks, tenants, callers, bounded waiting, a ledger of writes.

pub mod answer;
pub mod breakable;
pub mod caller;
pub mod client;
pub mod database;
pub mod desk;
pub mod dynamic;
pub mod eventually;
pub mod flood;
pub mod frames;
pub mod ledger;
pub mod memory;
pub mod onlooker;
pub mod operator;
pub mod programs;
pub mod proxy;
pub mod python;
pub mod report;
pub mod settled;
pub mod stack;
pub mod stream;
pub mod tenant;
pub mod usage;
pub mod values;
pub mod wires;
pub mod writers;
