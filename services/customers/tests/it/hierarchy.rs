//! The trees of accounts: no cycles, no orphans, not too deep, whatever happens at once.

use tonic::{Code, Response, Status};
use trato_proto::customers::v1::{
    Account, CreateAccountRequest, DeleteAccountRequest, GetAccountRequest, UndeleteAccountRequest,
};
use uuid::Uuid;

use crate::harness::{Customers, refusal};

impl Customers {
    async fn delete_account(&self, name: &str) -> Result<Account, Status> {
        let request = DeleteAccountRequest { name: name.into(), ..Default::default() };
        self.accounts().delete_account(self.admin.request(request)).await.map(Response::into_inner)
    }

    async fn undelete_account(&self, name: &str) -> Result<Account, Status> {
        let request = UndeleteAccountRequest { name: name.into(), ..Default::default() };
        self.accounts().undelete_account(self.admin.request(request)).await.map(Response::into_inner)
    }

    async fn move_account(&self, name: &str, parent: &str) -> Result<Account, Status> {
        let account = Account { name: name.into(), parent_account: parent.into(), ..Default::default() };
        self.update_account(account, &["parent_account"]).await
    }

    /// The names of `count` accounts, each below the one before.
    async fn chain(&self, count: usize) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for level in 0..count {
            let parent = names.last().cloned().unwrap_or_default();
            names.push(self.account(&format!("Level {}", level + 1), &parent).await.name);
        }
        names
    }
}

/// MDM-02: an account never belongs to itself, over whatever way.
#[tokio::test]
async fn a_hierarchy_has_no_cycles() {
    let customers = Customers::start().await;
    let names = customers.chain(3).await;

    for below in [&names[0], &names[1], &names[2]] {
        let answer = customers.move_account(&names[0], below).await;
        assert_eq!(refusal(answer), (Code::FailedPrecondition, "PARENT_ACCOUNT_CYCLE".to_owned()));
    }
    let moved = customers.move_account(&names[2], &names[0]).await.expect("it may be moved up");
    assert_eq!(moved.parent_account, names[0]);
}

/// MDM-02: two changes that are right alone cannot make a cycle together.
#[tokio::test]
async fn concurrent_changes_make_no_cycle() {
    let customers = Customers::start().await;
    for _ in 0..10 {
        let (a, b) = (customers.account("A", "").await.name, customers.account("B", "").await.name);

        let answers = tokio::join!(customers.move_account(&a, &b), customers.move_account(&b, &a));

        let refused = match answers {
            (Ok(_), refused @ Err(_)) | (refused @ Err(_), Ok(_)) => refusal(refused),
            both => panic!("exactly one of the changes is done: {both:?}"),
        };
        assert_eq!(refused, (Code::FailedPrecondition, "PARENT_ACCOUNT_CYCLE".to_owned()));
    }
}

/// MDM-02: a hierarchy has at most 20 levels, whether an account is added below or a tree is moved.
#[tokio::test]
async fn a_hierarchy_has_at_most_20_levels() {
    let customers = Customers::start().await;
    let names = customers.chain(20).await;
    let too_deep = (Code::FailedPrecondition, "PARENT_ACCOUNT_TOO_DEEP".to_owned());

    let below =
        Account { display_name: "Level 21".into(), parent_account: names[19].clone(), ..Default::default() };
    assert_eq!(refusal(customers.create_account(below).await), too_deep);

    let other = customers.account("Other", "").await;
    assert_eq!(refusal(customers.move_account(&names[0], &other.name).await), too_deep);
    customers.move_account(&names[1], &other.name).await.expect("19 levels fit below one");
}

/// MDM-01: what lives belongs to something that lives.
#[tokio::test]
async fn an_account_with_living_children_is_not_deleted() {
    let customers = Customers::start().await;
    let names = customers.chain(2).await;
    let missing = (Code::FailedPrecondition, "PARENT_ACCOUNT_NOT_FOUND".to_owned());

    let has_children = refusal(customers.delete_account(&names[0]).await);
    assert_eq!(has_children, (Code::FailedPrecondition, "ACCOUNT_HAS_CHILDREN".to_owned()));

    customers.delete_account(&names[1]).await.expect("a leaf may be deleted");
    customers.delete_account(&names[0]).await.expect("and then its parent");
    assert_eq!(refusal(customers.undelete_account(&names[1]).await), missing);
    let orphan =
        Account { display_name: "Orphan".into(), parent_account: names[0].clone(), ..Default::default() };
    assert_eq!(refusal(customers.create_account(orphan).await), missing);

    customers.undelete_account(&names[0]).await.expect("the parent comes back");
    customers.undelete_account(&names[1]).await.expect("and then the child");
}

/// MDM-01: nothing of another tenant can be referred to, although both know the identifier.
#[tokio::test]
async fn a_foreign_tenants_account_is_no_parent() {
    let customers = Customers::start().await;
    let foreign = customers.account("Foreign", "").await;
    let stranger = customers.service.caller(Uuid::now_v7(), "admin", &["administrator"]);

    let account =
        Account { display_name: "Below".into(), parent_account: foreign.name.clone(), ..Default::default() };
    let request = CreateAccountRequest { account: Some(account), ..Default::default() };
    let answer = customers.accounts().create_account(stranger.request(request)).await;
    assert_eq!(refusal(answer), (Code::FailedPrecondition, "PARENT_ACCOUNT_NOT_FOUND".to_owned()));

    let request = GetAccountRequest { name: foreign.name };
    let answer = customers.accounts().get_account(stranger.request(request)).await;
    assert_eq!(refusal(answer), (Code::NotFound, "RESOURCE_NOT_FOUND".to_owned()));
}

/// MDM-01: deleting a parent and adding a child at once leaves no orphan.
#[tokio::test]
async fn a_child_and_the_deletion_of_its_parent_exclude_one_another() {
    let customers = Customers::start().await;
    for _ in 0..10 {
        let parent = customers.account("Parent", "").await.name;
        let child =
            Account { display_name: "Child".into(), parent_account: parent.clone(), ..Default::default() };

        let (deleted, created) =
            tokio::join!(customers.delete_account(&parent), customers.create_account(child));

        assert!(deleted.is_ok() != created.is_ok(), "{deleted:?} {created:?}");
    }
}
