//! A ledger and its verbs: it is closed through a day, which goes on, and goes back only when somebody says why.

use serde::{Deserialize, Serialize};
use trato_pricing::TaxKey;
use trato_types::{Date, DomainError, Error, Id, Result, Violations, id::Collection};

use crate::{
    books::Role,
    fields::{Code, reason},
    legal_entity::LegalEntity,
};

/// How the books of a legal entity are kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Ledger {
    /// Whose books; it has one living ledger.
    pub legal_entity: Id<LegalEntity>,
    /// What is posted to.
    pub accounts: Accounts,
    /// Whose exchange rates hold; anybody's without one.
    pub rate_origin: Option<Code>,
    /// Nothing is posted on this day or before it.
    pub closed_through: Option<Date>,
    /// Why it was opened again the last time; may be empty.
    pub reopen_reason: String,
}

impl Collection for Ledger {
    const COLLECTION: &'static str = "ledgers";
}

/// The accounts of a ledger, where they differ from the defaults. They are stored as JSON.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub struct Accounts {
    /// Where money is.
    pub bank: Option<Code>,
    /// What customers owe.
    pub receivable: Option<Code>,
    /// What customers kept back for an authority.
    pub withheld: Option<Code>,
    /// What customers paid and is not allocated.
    pub unallocated: Option<Code>,
    /// Taxes without an account of their own.
    pub tax: Option<Code>,
    /// What is sold.
    pub revenue: Option<Code>,
    /// What banks take.
    pub fees: Option<Code>,
    /// What is given up.
    pub write_off: Option<Code>,
    /// What rates made of it meanwhile.
    pub exchange_difference: Option<Code>,
    /// What was taken over from another system.
    pub opening: Option<Code>,
    /// Taxes with an account of their own.
    pub taxes: Vec<TaxAccount>,
}

/// The account of one tax.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct TaxAccount {
    /// The tax, as tax codes name it.
    pub tax: Code,
    /// Its account.
    pub account: Code,
}

impl Accounts {
    /// Most taxes with an account of their own.
    pub const MAX_TAXES: usize = 50;

    /// The account of a role; that of its own where a tax has one.
    pub fn code(&self, role: Role, tax: Option<&TaxKey>) -> &str {
        let (chosen, default) = match role {
            Role::Bank => (&self.bank, "1000"),
            Role::Receivable => (&self.receivable, "1200"),
            Role::Withheld => (&self.withheld, "1250"),
            Role::Unallocated => (&self.unallocated, "2100"),
            Role::Tax => (&self.tax, "2200"),
            Role::Revenue => (&self.revenue, "4000"),
            Role::Fees => (&self.fees, "5100"),
            Role::Loss => (&self.write_off, "5200"),
            Role::ExchangeDifference => (&self.exchange_difference, "5300"),
            Role::Equity => (&self.opening, "9000"),
        };
        let own = tax.and_then(|tax| self.taxes.iter().find(|own| own.tax.as_str() == &*tax.code));
        own.map(|own| &own.account).or(chosen.as_ref()).map_or(default, Code::as_str)
    }

    /// Notes a tax that stands twice.
    pub fn check(&self, violations: &mut Violations) {
        for (index, own) in self.taxes.iter().enumerate() {
            if self.taxes[..index].iter().any(|other| other.tax == own.tax) {
                violations.add(
                    format!("accounts.taxes[{index}]"),
                    "DUPLICATE_TAX_ACCOUNT",
                    "stands in the list already",
                );
            }
        }
    }
}

/// Why a verb was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LedgerError {
    /// Nothing is closed after that day.
    #[error("the books are not closed after that day")]
    NotClosed,
}

impl DomainError for LedgerError {
    fn reason(&self) -> &'static str {
        match self {
            Self::NotClosed => "PERIOD_NOT_CLOSED",
        }
    }
}

impl Ledger {
    /// Closes it through a day that is not to come.
    pub fn close(&mut self, through: Date, today: Date) -> Result<()> {
        let back = self.closed_through.is_some_and(|closed| through < closed);
        if through > today || back {
            let message = "must not be to come, nor before the day through which the books are closed";
            return Err(Error::invalid("through_date", "OUT_OF_RANGE", message));
        }
        self.closed_through = Some(through);
        Ok(())
    }

    /// Opens it after a day, or altogether, for a reason.
    pub fn reopen(&mut self, through: Option<Date>, why: &str) -> Result<()> {
        let why = reason("reason", why)?;
        let closed = self.closed_through.ok_or(LedgerError::NotClosed)?;
        if through.is_some_and(|through| through >= closed) {
            return Err(LedgerError::NotClosed.into());
        }
        self.closed_through = through;
        self.reopen_reason = why;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use trato_pricing::TaxCategory;
    use uuid::Uuid;

    use super::*;

    fn day(day: u32) -> Date {
        Date::from_ymd_opt(2026, 11, day).expect("a day")
    }

    fn ledger() -> Ledger {
        Ledger {
            legal_entity: Id::from_uuid(Uuid::nil()),
            accounts: Accounts::default(),
            rate_origin: None,
            closed_through: None,
            reopen_reason: String::new(),
        }
    }

    /// XTR-05: a tax is posted to its own account, else to that of taxes, else to the default.
    #[test]
    fn an_account_is_that_of_the_tax_or_of_the_role_or_the_default() {
        let vat = TaxKey {
            code: "VAT".into(),
            category: TaxCategory::Standard,
            rate: "21".parse().expect("a rate"),
        };
        let mut accounts = Accounts::default();
        assert_eq!((accounts.code(Role::Tax, Some(&vat)), accounts.code(Role::Bank, None)), ("2200", "1000"));
        accounts.tax = "475".parse().ok();
        assert_eq!(accounts.code(Role::Tax, Some(&vat)), "475");
        let code = |text: &str| text.parse().expect("a code");
        accounts.taxes = vec![TaxAccount { tax: code("VAT"), account: code("477") }];
        assert_eq!(
            (accounts.code(Role::Tax, Some(&vat)), accounts.code(Role::Revenue, None)),
            ("477", "4000")
        );
    }

    #[test]
    fn a_period_is_closed_onwards_and_opened_with_a_reason() {
        let mut ledger = ledger();
        assert_eq!(
            ledger.reopen(None, "Why not").expect_err("nothing is closed").reason(),
            "PERIOD_NOT_CLOSED"
        );
        ledger.close(day(10), day(20)).expect("it is past");
        for wrong in [9, 21] {
            assert_eq!(
                ledger.close(day(wrong), day(20)).expect_err("it is out of range").reason(),
                "OUT_OF_RANGE"
            );
        }
        assert_eq!(ledger.reopen(Some(day(5)), " ").expect_err("no reason").reason(), "REQUIRED");
        assert_eq!(
            ledger.reopen(Some(day(10)), "Late").expect_err("it is no earlier").reason(),
            "PERIOD_NOT_CLOSED"
        );
        ledger.reopen(Some(day(5)), "A late invoice").expect("it is earlier");
        assert_eq!((ledger.closed_through, ledger.reopen_reason.as_str()), (Some(day(5)), "A late invoice"));
    }
}
