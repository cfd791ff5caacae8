//! Sales alone: its real server over a database of its own per test, without a broker. Customers is a fake that answers
//! one question.

mod access;
mod bundles;
mod configuration;
mod count;
mod customers;
mod edge;
mod funnel;
mod harness;
mod import;
mod opportunity;
mod pipeline;
mod price;
mod price_list;
mod pricing;
mod pricing_limits;
mod product;
mod promotion;
mod questions;
mod quote;
mod quote_documents;
mod quote_outcomes;
mod scope;
mod stage_changes;
mod verbs;
mod world;
