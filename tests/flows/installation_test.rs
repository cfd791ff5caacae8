//! What `helm test` runs in a cluster, run against this stack.

use std::process::Output;

use tokio::process::Command;

use crate::harness::{caller::Caller, tenant::Tenant, values::list};

async fn installation_test(tenant: &Tenant, caller: &Caller) -> Output {
    Command::new("sh")
        .arg("helm/trato/files/first-sale.sh")
        .current_dir(trato_devstack::Checkout::find().expect("tests run inside the checkout").root)
        .env("GATEWAY", tenant.facts().gateway_url().expect("the stack has a gateway"))
        .env("TOKEN", caller.token())
        .output()
        .await
        .expect("there is a shell")
}

/// In a tenant where nothing is, it passes and leaves nothing behind; without the right to sell it fails and says why.
#[tokio::test]
async fn the_test_of_an_installation_wins_an_opportunity_or_says_what_was_answered() {
    let tenant = Tenant::fresh();
    let director = tenant.director();

    let passed = installation_test(&tenant, &director).await;
    assert!(passed.status.success(), "{}", String::from_utf8_lossy(&passed.stderr));
    assert!(String::from_utf8_lossy(&passed.stdout).trim_end().ends_with("tells it"), "{passed:?}");
    for collection in ["accounts", "opportunities", "pipelines"] {
        let left = director.get(&format!("/v1/{collection}")).await.ok();
        assert!(list(&left, collection).is_empty(), "{collection}: {left}");
    }

    let refused = installation_test(&tenant, &tenant.caller("auditor", &["auditor"])).await;
    assert!(!refused.status.success());
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("PERMISSION_MISSING"), "{said}");
}
