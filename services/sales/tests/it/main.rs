//! Sales alone: its real server over a database of its own per test, without a broker. Customers is a fake that answers
//! one question.

mod access;
mod bundles;
mod configuration;
mod count;
mod customers;
mod delivery_note;
mod edge;
mod funnel;
mod harness;
mod import;
mod opportunity;
mod order;
mod order_facts;
mod order_from_quote;
mod pipeline;
mod price;
mod price_list;
mod pricing;
mod pricing_limits;
mod product;
mod promotion;
mod questions;
mod quote;
mod quote_approval;
mod quote_documents;
mod quote_outcomes;
mod return_policy;
mod sales_return;
mod scope;
mod stage_changes;
mod verbs;
mod world;
