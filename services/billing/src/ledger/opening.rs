//! `OpenBalance`: an open item of another system becomes one of ours, an invoice or a payment.

use trato_platform::{
    App,
    db::{Facts, Record, Tx, statement::Statements},
    foreign,
    standard::{Changed, require_living},
};
use trato_proto::{billing::v1 as pb, wire};
use trato_types::{Date, Error, Id, Minor, Ref, Result, Violations, text::line};

use super::model::Ledger;
use crate::{
    books::{Chart, minus},
    fields::{self, word},
    foreign::require_known,
    invoice::{self, Invoice, Party, Takeover, parse_party},
    legal_entity::LegalEntity,
    payment::{self, Till},
};

/// Takes over open items.
#[derive(Clone, Debug)]
pub struct Openings {
    till: Till,
    invoices: Statements,
}

impl Openings {
    /// Over the app's database.
    pub fn new(app: &App) -> Self {
        Self { till: Till::new(&app.database), invoices: Statements::of::<Invoice>() }
    }

    /// Takes over what is owed as an invoice, and what was paid in advance as a payment, under the lock of the ledger.
    pub async fn open(
        &self,
        tx: &mut Tx,
        before: &Record<Ledger>,
        body: &pb::OpenBalanceRequest,
    ) -> Result<Changed<Ledger>> {
        require_living(before)?;
        let takeover = parse(body, before.value.legal_entity)?;
        let chart = Chart::open(tx, takeover.legal_entity).await?;
        require_known(&foreign::find(tx, [takeover.account]).await?, takeover.account, "account")?;
        if takeover.date > chart.today(tx.cx()) {
            return Err(Error::invalid("date", "OUT_OF_RANGE", "must not be to come"));
        }
        if takeover.amount > Minor(0) {
            invoice::take_over(&self.invoices, tx, &chart, takeover).await?;
        } else {
            let takeover = Takeover { amount: minus(takeover.amount)?, ..takeover };
            payment::take_over(&self.till, tx, &chart, takeover).await?;
        }
        Ok((before.next(tx.cx(), before.value.clone()), Facts::default()))
    }
}

/// The item that is taken over, or every violation.
fn parse(body: &pb::OpenBalanceRequest, legal_entity: Id<LegalEntity>) -> Result<Takeover> {
    let mut violations = Violations::new();
    let check = &mut violations;
    let account = check.keep("account", Ref::parse(&body.account));
    let amount = check.keep("amount", fields::amount(body.amount.as_ref()));
    if amount.is_some_and(|(amount, _)| amount.is_zero()) {
        check.add("amount", "OUT_OF_RANGE", "must not be zero");
    }
    // Of what was paid in advance neither days nor a name are looked at.
    let is_paid = amount.is_some_and(|(amount, _)| amount < Minor(0));
    let days = if is_paid { parse_day(body, check) } else { parse_days(body, check) };
    let description = check.keep("description", word(&body.description, 200));
    let number = check.keep("number", line(&body.number, 100)).unwrap_or_default();
    let reference = check.keep("reference", line(&body.reference, 100)).unwrap_or_default();
    let bill_to = match body.bill_to.as_ref().filter(|_| !is_paid) {
        None => Party::default(),
        given => parse_party(given, check).unwrap_or_default(),
    };
    let given = account.zip(amount).zip(days).zip(description);
    let takeover = given.map(|(((account, (amount, currency_code)), days), description)| Takeover {
        account,
        legal_entity,
        amount,
        currency_code,
        number,
        description,
        reference,
        bill_to,
        issue_date: days.issue,
        due_date: days.due,
        date: days.taken_over,
    });
    violations.into_result(takeover)
}

/// The days of an item.
struct Days {
    issue: Date,
    due: Date,
    taken_over: Date,
}

/// Reads the day of a balance, which is all that is looked at of what was paid in advance.
fn parse_day(body: &pb::OpenBalanceRequest, violations: &mut Violations) -> Option<Days> {
    let taken_over = violations.keep("date", wire::require_date(body.date.as_ref()))?;
    Some(Days { issue: taken_over, due: taken_over, taken_over })
}

/// Reads the days: issued, if that is not said, when it is taken over, or when it was due where that was before.
fn parse_days(body: &pb::OpenBalanceRequest, violations: &mut Violations) -> Option<Days> {
    let taken_over = violations.keep("date", wire::require_date(body.date.as_ref()));
    let issue = body.issue_date.as_ref().map(wire::parse_date).transpose();
    let issue = violations.keep("issue_date", issue);
    let due = violations.keep("due_date", body.due_date.as_ref().map(wire::parse_date).transpose());
    let ((taken_over, issue), due) = taken_over.zip(issue).zip(due)?;
    let due = due.unwrap_or(taken_over);
    let issue = issue.unwrap_or(taken_over.min(due));
    if issue > taken_over {
        violations.add("issue_date", "OUT_OF_RANGE", "must not be after the day of the balance");
    }
    if due < issue {
        violations.add("due_date", "OUT_OF_RANGE", "must not be before it was issued");
    }
    Some(Days { issue, due, taken_over })
}
