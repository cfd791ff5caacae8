//! Billing alone: its real server over a database of its own per test, without a broker.

mod access;
mod chain;
mod credit_note;
mod exchange_rate;
mod foreign;
mod harness;
mod invoice;
mod issue;
mod legal_entity;
mod number_series;
mod payment_term;
mod tax_code;
