//! What holds while things break: real processes are killed under load, and the suite is held to its clients' ledger.
//!
//! These tests take turns on one private stack, see `harness/breakable.rs`. An ordinary run is bounded; the full figures
//! come with `cargo dev test --long`.

mod abuse;
mod access_records;
mod audit;
mod broker_down;
mod chains;
mod credit;
mod cuts;
mod database_down;
mod database_restarts;
mod dead_letters;
mod duplicates;
mod exported_records;
mod hanging;
mod independence;
mod issuing;
mod killed_programs;
mod mutual_tls;
mod noisy_tenant;
mod outages;
mod overload;
mod poison;
mod poisoner;
mod pool_exhausted;
mod received;
mod restore;
mod rollouts;
mod rotel;
mod schema_change;
mod secrets;
mod spreading;
mod statements;
mod traces;
mod withdrawn_keys;
