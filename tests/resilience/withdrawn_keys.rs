//! Tokens whose key the issuer has withdrawn: how an installation revokes all that a leaked key has signed.

use bytes::Bytes;

use crate::harness::{
    answer::Refusal,
    breakable::on_a_breakable_stack,
    client::channel,
    dynamic::{self, method},
    eventually::{SOON, eventually},
};

const REFRESH: &str = "TRATO_AUTH__JWKS_REFRESH_SECONDS";

/// I4: what a withdrawn key has signed is refused by gateway and service within one refresh, though it was remembered as good.
#[test]
fn a_token_of_a_withdrawn_key_is_refused_everywhere_within_one_refresh() {
    on_a_breakable_stack(async |stack| {
        for program in ["customers", "gateway"] {
            stack.restart_with(program, &[(REFRESH, "10")]).await;
        }
        let tenant = stack.tenant().await;
        let facts = stack.facts().await;
        let (minter, key) = stack.add_key().await;
        let token = minter.mint(&tenant.grant("leaked", &["auditor"])).expect("it can be signed");
        let by_gateway = tenant.anonymous().with_token(Some(&token));
        let service = channel(&facts.service("customers").expect("it runs").grpc);
        let list = method("trato.customers.v1.AccountService.ListAccounts");
        let by_service = || dynamic::bytes(&service, Some(&token), &list, Bytes::new());

        let ask = || async { (by_gateway.get("/v1/accounts").await.status, by_service().await.is_ok()) };
        eventually(SOON, "the new key to be known", ask, |seen| *seen == (200, true)).await;
        stack.withdraw_key(&key).await;
        eventually(SOON, "the key to be gone", ask, |seen| *seen == (401, false)).await;

        let refused = by_service().await.expect_err("it is withdrawn");
        assert_eq!(Refusal::of(&refused).reason, "INVALID_TOKEN");
        // What the other key signs is as good as before.
        tenant.director().get("/v1/accounts").await.ok();
    });
}
