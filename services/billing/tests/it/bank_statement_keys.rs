//! Keys of entries: whose they are, what else may have them, and what happens when two ask at once.

use trato_proto::billing::v1::{
    Payment,
    import_bank_statement_request::Format,
    import_bank_statement_response::{Outcome, Reason},
};

use crate::{
    bank_statement::{CAMT, brief, importing},
    harness::{Billing, Desk, days_ago, eur},
    payment::transfer,
};

/// A statement of one entry for each of these keys, amounts and references, three days ago.
pub fn statement(entries: &[(&str, &str, &str)]) -> String {
    let day = days_ago(3).expect("a day");
    let line = |(key, amount, reference): &(&str, &str, &str)| {
        format!("{key};{:04}-{:02}-{:02};{amount};EUR;{reference}\n", day.year, day.month, day.day)
    };
    let lines: String = entries.iter().map(line).collect();
    format!("key;date;amount;currency;reference\n{lines}")
}

/// XTR-05: two companies have accounts at two banks, which may call their entries the same.
#[tokio::test]
async fn keys_are_those_of_a_legal_entity() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let legal_entity = billing.legal_entity("Lusitania").await;
    let series = billing.series(&legal_entity, "L").await;
    let other =
        Desk { account: billing.account().await, legal_entity, series, tax_code: desk.tax_code.clone() };

    for desk in [&desk, &other] {
        let invoice = billing.owed(desk).await;
        let file = statement(&[("1", "121.00", invoice.number.as_str())]);
        let done = billing.import(importing(desk, Format::Csv, &file)).await.expect("imported");
        assert_eq!(
            done.entries.iter().map(brief).collect::<Vec<_>>(),
            [("1", Outcome::Recorded, Reason::Number)]
        );
    }

    assert_eq!(billing.payment_count().await, 2);
}

/// XTR-05: what has the key of an entry and is another one, or has not come, is not taken for it; what was recorded by hand is.
#[tokio::test]
async fn what_only_has_the_key_is_not_taken_for_the_entry() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let invoice = billing.owed(&desk).await;
    let keyed = |key: &str, amount: &str| Payment { external_key: key.into(), ..transfer(&invoice, amount) };
    let meant = billing.initiated(keyed("1", "121.00")).await;
    let less = billing.pay(keyed("2", "120.00"), vec![]).await.expect("recorded");
    let earlier = Payment { date: days_ago(33), ..keyed("3", "121.00") };
    let earlier = billing.pay(earlier, vec![]).await.expect("recorded");
    let by_hand = billing.pay(keyed("4", "121.00"), vec![]).await.expect("recorded");
    let entries = ["1", "2", "3", "4"].map(|key| (key, "121.00", invoice.number.as_str()));

    let file = statement(&entries);
    let done = billing.import(importing(&desk, Format::Csv, &file)).await.expect("imported");

    assert_eq!(
        done.entries.iter().map(brief).collect::<Vec<_>>(),
        [
            ("1", Outcome::Unmatched, Reason::KeyTaken),
            ("2", Outcome::Unmatched, Reason::KeyTaken),
            ("3", Outcome::Unmatched, Reason::KeyTaken),
            ("4", Outcome::RecordedBefore, Reason::Unspecified),
        ]
    );
    let named: Vec<&str> = done.entries.iter().map(|entry| entry.payment.as_str()).collect();
    assert_eq!(named, [&meant.name, &less.name, &earlier.name, &by_hand.name]);
    assert_eq!(billing.get_invoice(&invoice).await.open, eur("121.00"));
}

/// XTR-05: an entry by which the bank takes another one back is nobody's payment, whatever it looks like.
#[tokio::test]
async fn a_reversal_is_nobodys_payment() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let invoice = billing.owed(&desk).await;
    assert_eq!(invoice.number, "F0001");
    let back = CAMT.replace("<AcctSvcrRef>A1", "<RvslInd>true</RvslInd><AcctSvcrRef>A1");

    let done = billing.import(importing(&desk, Format::Camt053, &back)).await.expect("imported");

    assert_eq!(brief(&done.entries[0]), ("reversal", Outcome::Unmatched, Reason::Reversal));
    assert_eq!((done.entries[0].payment.as_str(), billing.payment_count().await), ("", 0));
    assert_eq!(billing.get_invoice(&invoice).await.open, eur("121.00"));
}

/// XTR-05: when a statement is imported by several at once, each entry is recorded by one of them, and known to the others.
#[tokio::test]
async fn what_another_import_records_is_known() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    for round in 0..8 {
        let mut entries = Vec::new();
        for number in 0..3 {
            entries.push((format!("{round}-{number}"), billing.owed(&desk).await.number));
        }
        let entries: Vec<_> =
            entries.iter().map(|(key, number)| (key.as_str(), "121.00", number.as_str())).collect();
        let file = statement(&entries);
        let imports = (0..4).map(|_| billing.import(importing(&desk, Format::Csv, &file)));

        let answers = futures::future::join_all(imports).await;

        for at in 0..entries.len() {
            let outcomes =
                answers.iter().map(|answer| answer.as_ref().expect("imported").entries[at].outcome());
            let (recorded, known): (Vec<_>, Vec<_>) =
                outcomes.partition(|outcome| *outcome == Outcome::Recorded);
            assert_eq!((recorded.len(), known), (1, vec![Outcome::RecordedBefore; 3]));
        }
    }
}
