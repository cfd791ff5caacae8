//! The platform over a real database, with one resource of the tests' own.

mod events;
mod resource;
mod standard;
mod tx;
