//! Revocations over a real database: what is read of them, and for how long.

use chrono::{TimeDelta, Utc};
use serde_json::json;
use trato_platform::{
    auth::{Verifier, leaked, testing::TestIssuer},
    config,
    db::Database,
    revocations::{New, list, restore, revoke},
    testing,
};
use trato_types::Timestamp;

/// A service's database, and somebody whose tokens it is to refuse.
struct World {
    database: Database,
    issuer: TestIssuer,
    verifier: Verifier,
}

impl World {
    async fn new() -> Self {
        let urls = testing::database("revoking", &[]).await;
        let settings = config::Database {
            url: urls.url.into(),
            system_url: urls.system_url.into(),
            owner_url: urls.owner_url.into(),
            max_connections: 2,
            min_connections: 0,
            system_max_connections: 2,
            acquire_timeout_ms: 20_000,
            statement_timeout_ms: 30_000,
        };
        let issuer = TestIssuer::start().await;
        let database = Database::new(&settings, "revoking").expect("addresses");
        Self { database, verifier: issuer.verifier(), issuer }
    }

    /// Whether the service refuses a token, after it has looked.
    async fn refuses(&self, token: &str) -> bool {
        let identity = self.verifier.verify(token).await.expect("the token itself is good");
        self.database.barred.read(&self.database.system).await.expect("the lists can be read");
        self.database.barred.check(&identity).is_err()
    }

    /// A token that was issued so many seconds ago.
    fn issued_ago(&self, seconds: i64) -> String {
        self.issuer.token(json!({ "iat": Utc::now().timestamp() - seconds }))
    }
}

fn in_an_hour() -> Timestamp {
    Utc::now() + TimeDelta::hours(1)
}

/// I4: one token is refused from the moment it is revoked, any number of times, until it is restored.
#[tokio::test]
async fn one_token_is_refused_until_it_is_restored() {
    let world = World::new().await;
    let system = &world.database.system;
    let (token, other) = (world.issued_ago(0), world.issued_ago(0));
    assert!(!world.refuses(&token).await);

    let first = revoke(system, New::of_token(leaked(&token).expect("a token"))).await.expect("revoked");
    let second = revoke(system, New::of_token(leaked(&token).expect("a token"))).await.expect("revoked");

    assert_eq!(first, second);
    assert_eq!(list(system).await.expect("listed"), std::slice::from_ref(&first));
    assert!(world.refuses(&token).await && !world.refuses(&other).await);
    assert!(restore(system, &first.key).await.expect("restored"));
    assert!(!restore(system, &first.key).await.expect("restored"), "it was before");
    assert!(!world.refuses(&token).await);
}

/// I4: a token of which only the issuer's log tells is refused by its id.
#[tokio::test]
async fn a_token_is_refused_by_its_id() {
    let world = World::new().await;
    let [token, other] = ["7", "8"].map(|id| world.issuer.token(json!({ "jti": id })));

    let new = New::of_id(&world.issuer.url, "7", in_an_hour());
    revoke(&world.database.system, new).await.expect("revoked");

    assert!(world.refuses(&token).await && !world.refuses(&other).await);
}

/// I4: of a subject's tokens those are refused that were issued up to a moment, and a later moment is not taken back by an
/// earlier one.
#[tokio::test]
async fn a_subjects_tokens_are_refused_up_to_the_latest_moment() {
    let world = World::new().await;
    let [older, newer] = [100, 10].map(|seconds| world.issued_ago(seconds));
    let tenant = world.verifier.verify(&older).await.expect("it is good").tenant;
    let ago = async |seconds| {
        let moment = Utc::now() - TimeDelta::seconds(seconds);
        let new = New::of_subject(tenant, "ana", moment, in_an_hour());
        revoke(&world.database.system, new).await.expect("revoked")
    };

    ago(50).await;
    assert!(world.refuses(&older).await && !world.refuses(&newer).await);

    let latest = ago(5).await.issued_until;
    assert!(world.refuses(&older).await && world.refuses(&newer).await);
    assert_eq!(ago(50).await.issued_until, latest);
    assert!(world.refuses(&newer).await);
    assert!(!world.refuses(&world.issued_ago(0)).await);
}

/// What has ended by itself is neither read nor listed, and goes with the next command.
#[tokio::test]
async fn what_has_ended_is_forgotten() {
    let world = World::new().await;
    let system = &world.database.system;
    let token = world.issuer.token(json!({ "jti": "7" }));
    let rows = async || {
        let count = sqlx::query_scalar("select count(*) from platform.revocation").fetch_one(system).await;
        let count: i64 = count.expect("it can be counted");
        count
    };

    revoke(system, New::of_id(&world.issuer.url, "7", Utc::now() - TimeDelta::minutes(1)))
        .await
        .expect("revoked");
    assert!(!world.refuses(&token).await);
    assert_eq!((rows().await, list(system).await.expect("listed")), (1, Vec::new()));

    revoke(system, New::of_id(&world.issuer.url, "8", in_an_hour())).await.expect("revoked");
    assert_eq!(rows().await, 1);
}

/// CRD-04: the login that serves calls can neither read what is revoked nor take it back.
#[tokio::test]
async fn the_serving_login_has_no_access_to_what_is_revoked() {
    let world = World::new().await;

    for error in [
        list(&world.database.pool).await.err(),
        restore(&world.database.pool, &"0".repeat(64)).await.err(),
        revoke(&world.database.pool, New::of_id("a", "b", in_an_hour())).await.err(),
    ] {
        let error = trato_types::error::chain(&error.expect("it may not"));
        assert!(error.contains("permission denied"), "{error}");
    }
}
