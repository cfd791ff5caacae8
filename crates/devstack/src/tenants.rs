//! Tenants of a stack: two with names people remember, and a fresh one for whoever asks, so that each test has its own.

use uuid::Uuid;

/// The tenants of every stack: value of the claim, identifier.
pub const NAMED: [(&str, Uuid); 2] = [
    ("acme", Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_00ac_4e00)),
    ("globex", Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_9106_ec00)),
];

/// A tenant as the issuer names it and as the services know it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tenant {
    /// Value of the tenant claim.
    pub claim: String,
    /// Identifier of its rows.
    pub id: Uuid,
}

impl Tenant {
    /// A tenant nobody else has. Its issuer may name any tenant by its identifier, so that none needs to be made first.
    pub fn fresh() -> Self {
        let id = Uuid::now_v7();
        Self { claim: id.to_string(), id }
    }
}
