//! To whom dunning letters are written: what the event of a step says to whoever sends them.

use trato_proto::billing::v1::{DunningStepEntered, OpenBalanceRequest, invoice::Party};

use crate::{
    dunning::policy,
    harness::{Billing, days_ago},
    opening::item,
};

impl Billing {
    /// The letters that steps ask for, in the order in which they were entered.
    pub async fn letters(&self) -> Vec<DunningStepEntered> {
        let events = self.service.published(self.admin.tenant).await;
        events.iter().filter_map(|event| event.fact().expect("it can be read")).collect()
    }
}

/// XTR-05: a letter is addressed as the newest of the invoices is; where that was taken over without a name, it has no addressee, rather
/// than an empty one or that of an older invoice.
#[tokio::test]
async fn a_letter_to_nobody_has_no_addressee() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    billing.create_policy(policy("")).await.expect("a policy");
    let ledger = billing.ledger(&desk).await;
    let (known, unknown) = (billing.account().await, billing.account().await);
    let named = |account: &str, number: &str| item(&ledger, account, number, "100.00");
    let nameless =
        |account: &str, number: &str| OpenBalanceRequest { bill_to: None, ..named(account, number) };
    let newest = |item: OpenBalanceRequest| OpenBalanceRequest { due_date: days_ago(50), ..item };

    for item in [
        nameless(&known, "A"),
        newest(named(&known, "B")),
        named(&unknown, "C"),
        newest(nameless(&unknown, "D")),
    ] {
        billing.take_over(item).await.expect("taken over");
    }
    billing.dun_on(None).await;
    let letters = billing.letters().await;

    let to = |account: &str| -> Vec<Option<Party>> {
        letters
            .iter()
            .filter(|letter| letter.account == account)
            .map(|letter| letter.bill_to.clone())
            .collect()
    };
    let miramar = Party { display_name: "Hotel Miramar".into(), ..Default::default() };
    assert_eq!(to(&known), vec![Some(miramar); 3]);
    assert_eq!(to(&unknown), [None, None, None]);
}
