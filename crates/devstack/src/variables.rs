//! The runner's own variables, each named once. It has no configuration file: it must start before anything is there.

use std::env;

/// URL of a superuser of a PostgreSQL that runs already; it is then used instead of a private one.
pub const POSTGRES_URL: &str = "TRATO_STACK_POSTGRES_URL";
/// URL of a RabbitMQ that runs already; it is then used instead of a private one.
pub const RABBITMQ_URL: &str = "TRATO_STACK_RABBITMQ_URL";
/// Image of PostgreSQL for `--containers`.
pub const POSTGRES_IMAGE: &str = "TRATO_STACK_POSTGRES_IMAGE";
/// Image of RabbitMQ for `--containers`.
pub const RABBITMQ_IMAGE: &str = "TRATO_STACK_RABBITMQ_IMAGE";
/// Set for tests whose private stacks shall run in containers.
pub const CONTAINERS: &str = "TRATO_STACK_CONTAINERS";
/// Set for tests: path of the `stack.json` they share.
pub const TEST_STACK: &str = "TRATO_TEST_STACK";
/// Set for tests that shall run for the full figures instead of a bounded share of them.
pub const TEST_LONG: &str = "TRATO_TEST_LONG";
/// Set for the tests of prices: on how many documents each property is tried.
pub const TEST_DOCUMENTS: &str = "TRATO_TEST_DOCUMENTS";

/// The value of a variable; empty is as good as not set.
pub fn get(name: &str) -> Option<String> {
    env::var_os(name)?.into_string().ok().filter(|value| !value.trim().is_empty())
}

/// True when tests shall run for the full figures, by `cargo dev test --long`.
pub fn is_long_run() -> bool {
    get(TEST_LONG).is_some()
}
