//! The room a request takes up while it is worked on: in the gateway, and among the calls of its caller and tenant.

use tokio::sync::OwnedSemaphorePermit;
use trato_platform::rpc::Places;
use trato_types::Error;

use super::rate::Share;

/// Given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    _in_gateway: OwnedSemaphorePermit,
    _of_caller: Option<Share>,
}

impl Place {
    /// For a request that needs no token.
    pub fn of_nobody(places: &Places) -> Result<Self, Error> {
        Ok(Self { _in_gateway: places.take()?, _of_caller: None })
    }

    /// For a call of a verified caller.
    pub fn of_caller(place: OwnedSemaphorePermit, share: Share) -> Self {
        Self { _in_gateway: place, _of_caller: Some(share) }
    }
}
