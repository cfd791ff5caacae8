//! The platform over a real database, with one resource of the tests' own.

mod access_records;
mod events;
mod resource;
mod standard;
mod tx;
