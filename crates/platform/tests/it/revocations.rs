//! Revocations over a real database: what is read of them, and for how long.

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use trato_platform::{
    auth::{Verifier, leaked, testing::TestIssuer},
    commands::{BarredCommand, Output},
    config,
    db::Database,
    revocations::{New, Revocation, allow, list, put_back, revoke},
    tenants, testing,
};
use uuid::Uuid;

/// A service's database, and somebody whose tokens it is to refuse.
struct World {
    database: Database,
    owner_url: String,
    issuer: TestIssuer,
    verifier: Verifier,
}

impl World {
    async fn new() -> Self {
        let urls = testing::database("revoking", &[]).await;
        let owner_url = urls.owner_url.clone();
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
        Self { database, owner_url, verifier: issuer.verifier(), issuer }
    }

    /// Whether the service refuses a token, after it has looked.
    async fn refuses(&self, token: &str) -> bool {
        let identity = self.verifier.verify(token).await.expect("the token itself is good");
        self.database.barred.read(&self.database.system).await.expect("the lists can be read");
        self.database.barred.check(&identity).await.is_err()
    }

    /// What `barred show` tells a restore.
    async fn barred(&self) -> Value {
        let mut told = Vec::<u8>::new();
        let show = BarredCommand::Show { output: Output { json: true } };
        show.run(&self.database, tokio::io::empty(), &mut told).await.expect("it can be told");
        serde_json::from_slice(&told).expect("a line of JSON")
    }

    /// A token that was issued so many seconds ago.
    fn issued_ago(&self, seconds: i64) -> String {
        self.issuer.token(json!({ "iat": Utc::now().timestamp() - seconds }))
    }
}

/// What it takes to revoke a token that is at hand.
fn of(token: &str) -> New {
    New::of_token(&leaked(token).expect("a token")).expect("it is good")
}

/// I4: one token is refused from the moment it is revoked, any number of times, until it is allowed.
#[tokio::test]
async fn one_token_is_refused_until_it_is_allowed() {
    let world = World::new().await;
    let system = &world.database.system;
    let (token, other) = (world.issued_ago(0), world.issued_ago(0));
    assert!(!world.refuses(&token).await);

    let first = revoke(system, of(&token)).await.expect("revoked");
    let second = revoke(system, of(&token)).await.expect("revoked");

    assert_eq!(first, second);
    assert_eq!(list(system).await.expect("listed"), std::slice::from_ref(&first));
    assert!(world.refuses(&token).await && !world.refuses(&other).await);
    assert!(allow(system, &first.key).await.expect("allowed"));
    assert!(!allow(system, &first.key).await.expect("allowed"), "it was before");
    assert!(!allow(system, "no key").await.expect("allowed"), "it never was revoked");
    assert!(!world.refuses(&token).await);
}

/// I4: a token of which only the issuer's log tells is refused by its id.
#[tokio::test]
async fn a_token_is_refused_by_its_id() {
    let world = World::new().await;
    let [token, other] = ["7", "8"].map(|id| world.issuer.token(json!({ "jti": id })));

    let revoked = revoke(&world.database.system, New::of_id(&world.issuer.url, "7")).await.expect("revoked");

    assert_eq!(revoked.expire_time, None, "nobody knows how long it is good");
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
        let new = New::of_subject(tenant, "ana", moment);
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

/// I4: what a database knew that another one takes the place of is put back as it was, and takes nothing back that is known.
#[tokio::test]
async fn what_was_revoked_is_put_back_in_another_database() {
    let (world, other) = (World::new().await, World::new().await);
    let [single, earlier, later] = [0, 100, 10].map(|seconds| world.issued_ago(seconds));
    let tenant = world.verifier.verify(&single).await.expect("it is good").tenant;
    let until = |seconds| New::of_subject(tenant, "ben", Utc::now() - TimeDelta::seconds(seconds));
    for new in [of(&single), of(&earlier), New::of_id("https://id.example.com", "7"), until(50)] {
        revoke(&world.database.system, new).await.expect("revoked");
    }
    let known = revoke(&other.database.system, until(5)).await.expect("revoked");
    let revoked = list(&world.database.system).await.expect("listed");

    for _ in 0..2 {
        put_back(&other.database.system, &revoked).await.expect("put back");
    }

    let now = list(&other.database.system).await.expect("listed");
    let expected =
        |one: &Revocation| if one.key == known.key { known.issued_until } else { one.issued_until };
    assert_eq!(now.len(), 4);
    for one in &revoked {
        let found = now.iter().find(|found| found.key == one.key).expect("it is put back");
        assert_eq!((found.issued_until, found.expire_time), (expected(one), one.expire_time));
    }
    let identity = world.verifier.verify(&earlier).await.expect("it is good");
    other.database.barred.read(&other.database.system).await.expect("the lists can be read");
    assert!(other.database.barred.check(&identity).await.is_err());
    let identity = world.verifier.verify(&later).await.expect("it is good");
    other.database.barred.check(&identity).await.expect("it was not revoked");
}

/// I4: a restore learns who is suspended also from a database that its programs have not migrated to where tokens are revoked.
#[tokio::test]
async fn who_is_suspended_is_told_of_a_database_without_revocations() {
    let world = World::new().await;
    let tenant = Uuid::now_v7();
    tenants::set_suspended(&world.database.system, tenant, true).await.expect("suspended");
    let revoked = revoke(&world.database.system, New::of_id("https://id.example.com", "7")).await;
    let told = world.barred().await;
    let mut owner = testing::pool(&world.owner_url).acquire().await.expect("a connection");
    sqlx::query("drop table platform.revocation").execute(&mut owner).await.expect("as before it was made");

    let before = world.barred().await;

    assert_eq!(told["revoked"][0]["key"], json!(revoked.expect("revoked").key));
    assert_eq!(before, json!({ "suspended": [tenant], "revoked": [] }));
}

/// What has ended by itself is neither read nor listed, and goes with the next command.
#[tokio::test]
async fn what_has_ended_is_forgotten() {
    let world = World::new().await;
    let system = &world.database.system;
    let token = world.issued_ago(0);
    let rows = async || {
        let count = sqlx::query_scalar("select count(*) from platform.revocation").fetch_one(system).await;
        let count: i64 = count.expect("it can be counted");
        count
    };

    revoke(system, of(&token)).await.expect("revoked");
    revoke(system, New::of_id(&world.issuer.url, "7")).await.expect("revoked");
    let sql = "update platform.revocation set expire_time = now() - interval '1 minute' where expire_time is not null";
    sqlx::query(sql).execute(system).await.expect("an hour and more has passed");
    assert!(!world.refuses(&token).await);
    assert_eq!((rows().await, list(system).await.expect("listed").len()), (2, 1));

    revoke(system, New::of_id(&world.issuer.url, "8")).await.expect("revoked");
    assert_eq!(rows().await, 2, "the ended one is gone, and what has no end stays");
}

/// CRD-04: the login that serves calls can neither read what is revoked nor take it back.
#[tokio::test]
async fn the_serving_login_has_no_access_to_what_is_revoked() {
    let world = World::new().await;

    for error in [
        list(&world.database.pool).await.err(),
        allow(&world.database.pool, &"0".repeat(64)).await.err(),
        revoke(&world.database.pool, New::of_id("a", "b")).await.err(),
    ] {
        let error = trato_types::error::chain(&error.expect("it may not"));
        assert!(error.contains("permission denied"), "{error}");
    }
}
