//! What must stay true of the whole, whatever one change is about: the invariants of `docs/ARCHITECTURE.md` that can be
//! read off sources, manifests and running databases.

mod checkout;
mod databases;
mod declared_fields;
mod dependencies;
mod indexes;
mod repository;
mod sources;
mod tenancy;
