//! A payment term, and the day it leads to.

use chrono::{Datelike as _, Days};
use trato_types::{Date, DisplayName, error::FieldError, id::Collection};

use crate::fields::Code;

/// When what is invoiced is due.
#[derive(Clone, Debug, PartialEq)]
pub struct PaymentTerm {
    /// Unique among the living.
    pub code: Code,
    /// What people call it.
    pub display_name: DisplayName,
    /// Number of days, 0 to 3,650.
    pub days: i32,
    /// How they are counted.
    pub rule: Rule,
}

impl Collection for PaymentTerm {
    const COLLECTION: &'static str = "paymentTerms";
}

/// From which day the days are counted, and where that leads.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rule {
    /// So many days after the issue.
    Net,
    /// So many days after the issue, and then the last day of that month.
    DaysThenEndOfMonth,
    /// So many days after the last day of the month of issue.
    EndOfMonthThenDays,
}

impl PaymentTerm {
    /// The day on which something is due that was issued on `issue_date`; none beyond the calendar.
    pub fn due_date(&self, issue_date: Date) -> Option<Date> {
        let days = Days::new(self.days.unsigned_abs().into());
        match self.rule {
            Rule::Net => issue_date.checked_add_days(days),
            Rule::DaysThenEndOfMonth => end_of_month(issue_date.checked_add_days(days)?),
            Rule::EndOfMonthThenDays => end_of_month(issue_date)?.checked_add_days(days),
        }
    }
}

fn end_of_month(day: Date) -> Option<Date> {
    let days = day.num_days_in_month();
    day.with_day(days.into())
}

/// A number of days that is out of range.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("must be 0 to 3,650")]
pub struct DaysError;

impl FieldError for DaysError {
    fn reason(&self) -> &'static str {
        "OUT_OF_RANGE"
    }
}

/// Checks a number of days.
pub fn days(number: i32) -> Result<i32, DaysError> {
    if (0..=3650).contains(&number) { Ok(number) } else { Err(DaysError) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(days: i32, rule: Rule, issued: &str) -> String {
        let term = PaymentTerm {
            code: "T".parse().expect("a code"),
            display_name: "Term".parse().expect("a name"),
            days,
            rule,
        };
        let due = term.due_date(issued.parse().expect("a day")).expect("within the calendar");
        due.to_string()
    }

    /// XTR-05: the day something is due on follows from the day of issue, over the ends of months and leap years.
    #[test]
    fn days_are_counted_by_the_rule() {
        assert_eq!(due(0, Rule::Net, "2026-01-31"), "2026-01-31");
        assert_eq!(due(30, Rule::Net, "2026-01-31"), "2026-03-02");
        assert_eq!(due(30, Rule::Net, "2028-01-31"), "2028-03-01");
        assert_eq!(due(0, Rule::DaysThenEndOfMonth, "2028-02-01"), "2028-02-29");
        assert_eq!(due(45, Rule::DaysThenEndOfMonth, "2026-01-10"), "2026-02-28");
        assert_eq!(due(45, Rule::EndOfMonthThenDays, "2026-01-10"), "2026-03-17");
        assert_eq!(due(3650, Rule::Net, "2026-12-31"), "2036-12-28");
        assert_eq!(due(0, Rule::EndOfMonthThenDays, "2028-02-10"), "2028-02-29");
        assert_eq!(due(1, Rule::EndOfMonthThenDays, "2027-02-28"), "2027-03-01");
        assert_eq!(due(30, Rule::DaysThenEndOfMonth, "2028-01-30"), "2028-02-29");
        assert_eq!(due(30, Rule::DaysThenEndOfMonth, "2027-01-30"), "2027-03-31");
        assert_eq!(due(365, Rule::Net, "2028-02-29"), "2029-02-28");
        assert_eq!(due(1, Rule::Net, "2100-02-28"), "2100-03-01");
    }

    #[test]
    fn days_are_none_to_ten_years() {
        assert_eq!((days(0), days(3650)), (Ok(0), Ok(3650)));
        assert_eq!((days(-1), days(3651)), (Err(DaysError), Err(DaysError)));
    }
}
