//! What a bank statement brings and cannot be recorded: it is kept once, tried again, and ends when it is recorded or given up.

use futures::future::join;
use trato_proto::billing::v1::{
    GetPaymentRequest, ParkedTask, Payment,
    import_bank_statement_request::Format,
    import_bank_statement_response::{Entry, Outcome, Reason},
    parked_task,
    payment::{Direction, State},
};

use crate::{
    bank_statement::{brief, importing},
    bank_statement_keys::statement,
    harness::{Billing, Desk, days_ago, eur},
    payment::transfer,
};

impl Billing {
    /// What becomes of these entries.
    async fn imported(&self, desk: &Desk, entries: &[(&str, &str, &str)]) -> Vec<Entry> {
        let request = importing(desk, Format::Csv, &statement(entries));
        self.import(request).await.expect("imported").entries
    }

    /// The one task of an entry that was ever parked.
    async fn task_of(&self, desk: &Desk, key: &str) -> ParkedTask {
        let subject = format!("{}/bankEntries/{key}", desk.legal_entity.name);
        let mut tasks = self.parked(&format!("subject = \"{subject}\"")).await;
        assert_eq!(tasks.len(), 1, "{tasks:?}");
        tasks.remove(0)
    }

    async fn paid_by(&self, entry: &Entry) -> Payment {
        let request = GetPaymentRequest { name: entry.payment.clone() };
        let answer = self.payments().get_payment(self.admin.request(request)).await;
        answer.expect("a payment").into_inner()
    }
}

fn why(entry: &Entry) -> (Outcome, &str) {
    (entry.outcome(), &entry.failure_reason)
}

/// XTR-05: what nobody can tell the purpose of is kept once, with all that the bank says of it, however often the statement comes.
/// It is done when it matches after all, or when a payment of it is recorded; not by one that only has its key.
#[tokio::test]
async fn what_cannot_be_recorded_is_kept_until_it_is() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let open = billing.owed(&desk).await;
    let entries =
        [("1", "7.00", "no idea"), ("2", "121.00", ""), ("3", "50.00", "F0002"), ("4", "-9.90", "Fee")];

    let first = billing.imported(&desk, &entries).await;
    let again = billing.imported(&desk, &entries).await;

    let expected = [
        (Outcome::Unmatched, "NO_MATCH"),
        (Outcome::Proposed, "AMOUNT_ONLY"),
        (Outcome::Unmatched, "NO_MATCH"),
        (Outcome::Outgoing, ""),
    ];
    assert_eq!(first.iter().map(why).collect::<Vec<_>>(), expected);
    assert_eq!(again, first, "the same tasks keep them");
    assert_eq!(billing.parked("").await.len(), 3);
    let task = billing.task_of(&desk, "1").await;
    let entry = task.bank_entry.clone().expect("its entry");
    assert_eq!((task.kind.as_str(), &task.name), ("import-bank-statement", &first[0].parked_task));
    assert_eq!((entry.key.as_str(), &entry.legal_entity), ("1", &desk.legal_entity.name));
    assert_eq!((entry.amount, entry.date, entry.reference.as_str()), (eur("7.00"), days_ago(3), "no idea"));

    let keyed = |key: &str, amount: &str| Payment { external_key: key.into(), ..transfer(&open, amount) };
    billing.pay(keyed("1", "7.00"), vec![]).await.expect("recorded");
    billing.pay(keyed("2", "120.00"), vec![]).await.expect("recorded");
    let taken = billing.retry(&billing.task_of(&desk, "2").await, "").await.expect("it fails again");
    let unmatched = billing.retry(&billing.task_of(&desk, "3").await, "").await.expect("it fails again");
    let late = billing.owed(&desk).await;
    assert_eq!(late.number, "F0002");
    let matched = billing.retry(&unmatched, "").await.expect("it is done");

    let ended = billing.task_of(&desk, "1").await;
    assert_eq!((ended.state(), ended.try_count), (parked_task::State::Done, 2));
    assert_eq!((taken.state(), taken.reason.as_str()), (parked_task::State::Parked, "KEY_TAKEN"));
    assert_eq!((unmatched.reason.as_str(), unmatched.try_count), ("NO_MATCH", 2));
    assert_eq!((matched.state(), matched.try_count), (parked_task::State::Done, 3));
    assert_eq!(billing.get_invoice(&late).await.open, eur("71.00"));
    let outcomes: Vec<_> = billing.imported(&desk, &entries).await.iter().map(Entry::outcome).collect();
    let before = Outcome::RecordedBefore;
    assert_eq!(outcomes, [before, Outcome::Unmatched, before, Outcome::Outgoing]);
    assert_eq!(billing.parked("").await.len(), 3, "nothing is parked once more");
}

/// XTR-05: what the books refuse of an entry does not hold up others, and is recorded when they take it.
#[tokio::test]
async fn an_entry_that_the_books_refuse_does_not_hold_up_others() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let ledger = billing.ledger(&desk).await;
    let closed = billing.close(&ledger, days_ago(5)).await.expect("closed");
    let (early, late) = (billing.owed(&desk).await, billing.owed(&desk).await);
    let day = |ago| {
        let day = days_ago(ago).expect("a day");
        format!("{:04}-{:02}-{:02}", day.year, day.month, day.day)
    };
    let file = format!(
        "key;date;amount;currency;reference\n\
         1;{};121.00;EUR;{}\n2;{};121.00;EUR;{}\n3;{};5.00;XXX;\n",
        day(9),
        early.number,
        day(3),
        late.number,
        day(3),
    );

    let done = billing.import(importing(&desk, Format::Csv, &file)).await.expect("imported").entries;
    let task = billing.task_of(&desk, "1").await;
    let still = billing.retry(&task, "").await.expect("it fails again");
    billing.reopen(&closed, days_ago(20), "A late statement").await.expect("opened");
    let recorded = billing.retry(&task, "").await.expect("it is done");

    let expected = [
        (Outcome::Refused, "PERIOD_CLOSED"),
        (Outcome::Recorded, ""),
        (Outcome::Unmatched, "UNKNOWN_CURRENCY"),
    ];
    assert_eq!(done.iter().map(why).collect::<Vec<_>>(), expected);
    assert_eq!((done[0].reason(), done[0].payment.as_str()), (Reason::Number, ""));
    assert_eq!((still.state(), still.reason.as_str()), (parked_task::State::Parked, "PERIOD_CLOSED"));
    assert_eq!(recorded.state(), parked_task::State::Done);
    for invoice in [early, late] {
        assert_eq!(billing.get_invoice(&invoice).await.open, eur("0.00"));
    }
}

/// XTR-05: what somebody has given up is left alone, also when it would match by now.
#[tokio::test]
async fn an_entry_that_is_given_up_is_left_alone() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let entries = [("1", "121.00", "F0001")];
    let first = billing.imported(&desk, &entries).await;
    billing.give_up(&billing.task_of(&desk, "1").await, "Of another company").await.expect("it is parked");
    let invoice = billing.owed(&desk).await;
    assert_eq!(invoice.number, "F0001");

    let again = billing.imported(&desk, &entries).await;

    assert_eq!(why(&first[0]), (Outcome::Unmatched, "NO_MATCH"));
    assert_eq!((why(&again[0]), again[0].parked_task.as_str()), ((Outcome::Dropped, ""), ""));
    assert_eq!(billing.get_invoice(&invoice).await.open, eur("121.00"));
    assert_eq!(billing.task_of(&desk, "1").await.state(), parked_task::State::Dropped);
}

/// DOC-18, XTR-05: a statement proves payments that are under way, or of which nobody knows, and no others.
#[tokio::test]
async fn a_statement_settles_what_it_proves() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let invoice = billing.owed(&desk).await;
    let keyed = |key: &str, amount: &str| Payment { external_key: key.into(), ..transfer(&invoice, amount) };
    let out = Payment { direction: Direction::Out.into(), ..keyed("3", "9.00") };
    for payment in [keyed("1", "121.00"), keyed("2", "50.00"), out, keyed("4", "60.00")] {
        let payment = billing.initiated(payment).await;
        billing.submit(&payment).await.expect("under way");
        if payment.external_key == "2" {
            billing.settle(&payment, State::Unknown).await.expect("nobody knows");
        }
    }
    let entries = [("1", "121.00", ""), ("2", "50.00", ""), ("3", "-9.00", ""), ("4", "61.00", "")];

    let done = billing.imported(&desk, &entries).await;
    let again = billing.imported(&desk, &entries).await;

    let expected = [
        ("1", Outcome::Settled, Reason::Unspecified),
        ("2", Outcome::Settled, Reason::Unspecified),
        ("3", Outcome::Settled, Reason::Unspecified),
        ("4", Outcome::Unmatched, Reason::KeyTaken),
    ];
    assert_eq!(done.iter().map(brief).collect::<Vec<_>>(), expected);
    for entry in &done[..3] {
        let payment = billing.paid_by(entry).await;
        assert_eq!((payment.state(), &payment.state_reason), (State::Succeeded, &entry.key));
        assert_eq!(payment.date, days_ago(3), "the day on which the bank moved it");
    }
    assert_eq!(billing.paid_by(&done[3]).await.state(), State::Pending, "another amount proves nothing");
    let outcomes: Vec<_> = again.iter().map(Entry::outcome).collect();
    let before = Outcome::RecordedBefore;
    assert_eq!(outcomes, [before, before, Outcome::Outgoing, Outcome::Unmatched]);
    let parked = billing.parked("state = PARKED").await;
    assert_eq!(parked.iter().map(|task| task.reason.as_str()).collect::<Vec<_>>(), ["KEY_TAKEN"]);
}

/// XTR-05: no entry stays parked for which somebody records a payment at the same moment.
#[tokio::test]
async fn what_is_recorded_meanwhile_is_not_parked() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let open = billing.owed(&desk).await;
    for round in 0..16 {
        let key = round.to_string();
        let payment = Payment { external_key: key.clone(), ..transfer(&open, "7.00") };
        let entries = [(key.as_str(), "7.00", "no idea")];

        let (entries, paid) = join(billing.imported(&desk, &entries), billing.pay(payment, vec![])).await;

        paid.expect("recorded");
        assert!(billing.parked("state = PARKED").await.is_empty(), "{entries:?}");
    }
}
