//! A service's credentials open its own database and no other.

use sqlx::{ConnectOptions as _, postgres::PgConnectOptions};

use crate::harness::stack::shared;

/// CRD-04: every login role of every service is refused by every other service's database; all pairs are tried.
#[tokio::test]
async fn the_roles_of_a_service_are_refused_by_every_other_database() {
    let databases = &shared().databases;
    for (service, own) in databases {
        for url in [&own.owner_url, &own.url, &own.system_url] {
            let login: PgConnectOptions = url.parse().expect("an address");
            login.connect().await.expect("a role opens its own database");
            for other in databases.keys().filter(|other| *other != service) {
                let refused = login.clone().database(other).connect().await;
                assert!(refused.is_err(), "{} opens the database of {other}", login.get_username());
            }
        }
    }
}
