//! The platform over a real database, with one resource of the tests' own.

mod access_records;
mod events;
mod migrate;
mod resource;
mod revocations;
mod standard;
mod tx;
