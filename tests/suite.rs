//! The suite as its users see it: real processes, real databases, a real broker, through the gateway.
//!
//! Run by `cargo dev test [filter]`, which starts the stack all of these tests share. Each test makes a tenant of its
//! own, so they run side by side. Tests that break something share a private stack and take turns on it.

#[cfg(test)]
mod architecture;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod einvoice;
#[cfg(test)]
mod flows;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod operation;
#[cfg(test)]
mod resilience;
#[cfg(test)]
mod revocation;
