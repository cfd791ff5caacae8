//! What an entry says. Pure.

use trato_proto::sales::v1::{Opportunity, OpportunityMoved, opportunity::LostReason};
use trato_types::{Currency, MemberRef, Timestamp};
use uuid::Uuid;

/// One fact on the timeline of one account or contact.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// `accounts/{account}` or `contacts/{contact}`.
    pub parent: String,
    /// Identifier of the event it came from.
    pub id: Uuid,
    /// Type of that event.
    pub kind: String,
    /// Resource the fact is about.
    pub subject: String,
    /// What happened, in a few English words.
    pub summary: String,
    /// When it happened in the business.
    pub event_time: Timestamp,
    /// When it was recorded.
    pub create_time: Timestamp,
    /// Who did it.
    pub actor: String,
    /// Owner of the resource the fact is about.
    pub owner: Option<MemberRef>,
    /// Team of that resource.
    pub team: Option<Uuid>,
}

/// Fields that are of no interest when they change: the summary says the same in other words, or people never see them.
const UNTOLD: &[&str] = &["stage_time", "close_time", "state", "lost_reason", "lost_note", "stage"];

/// Says what happened to an opportunity: `Opportunity won: Fleet renewal, 1,200.00 USD`. `verb` is the participle of the
/// event, `changed` its changed fields.
pub fn summarize(
    verb: &str,
    after: &Opportunity,
    changed: &[String],
    moved: Option<&OpportunityMoved>,
) -> String {
    let name = &after.display_name;
    let with = |detail: Option<String>| match detail {
        Some(detail) => format!("{name}, {detail}"),
        None => name.clone(),
    };
    match verb {
        "created" | "imported" | "won" => format!("Opportunity {verb}: {}", with(amount(after))),
        "lost" => format!("Opportunity lost: {}", with(lost_reason(after))),
        "moved" => match moved {
            Some(step) => format!("Opportunity moved from {} to {}: {name}", step.from_stage, step.to_stage),
            None => format!("Opportunity moved to {}: {name}", after.stage),
        },
        "updated" => {
            let fields: Vec<_> = changed.iter().filter(|field| !UNTOLD.contains(&field.as_str())).collect();
            let fields: Vec<_> = fields.into_iter().map(|field| words(field)).collect();
            if fields.is_empty() {
                format!("Opportunity updated: {name}")
            } else {
                format!("Opportunity updated: {name} ({})", fields.join(", "))
            }
        }
        "undeleted" => format!("Opportunity restored: {name}"),
        other => format!("Opportunity {}: {name}", words(other)),
    }
}

fn words(name: &str) -> String {
    name.replace('_', " ")
}

/// `1,200.00 USD`; none when it is not known or not an amount of its currency.
fn amount(opportunity: &Opportunity) -> Option<String> {
    let money = opportunity.amount.as_ref()?;
    let currency = Currency::parse(&money.currency_code).ok()?;
    let minor = currency.minor(money.units, money.nanos).ok()?;
    let factor = 10_u64.pow(currency.exponent());
    let (units, rest) = (minor.0.unsigned_abs() / factor, minor.0.unsigned_abs() % factor);
    let sign = if minor.0 < 0 { "-" } else { "" };
    let decimals = match usize::try_from(currency.exponent()) {
        Ok(0) | Err(_) => String::new(),
        Ok(places) => format!(".{rest:0places$}"),
    };
    Some(format!("{sign}{}{decimals} {}", grouped(units), currency.code()))
}

/// `1234567` as `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn lost_reason(opportunity: &Opportunity) -> Option<String> {
    match opportunity.lost_reason() {
        LostReason::Unspecified | LostReason::NotRecorded => None,
        reason => Some(words(&reason.as_str_name().to_ascii_lowercase())),
    }
}

#[cfg(test)]
mod tests {
    use trato_proto::google::value::Money;

    use super::*;

    fn opportunity() -> Opportunity {
        let amount = Money { currency_code: "USD".to_owned(), units: 1_234_567, nanos: 500_000_000 };
        Opportunity {
            display_name: "Fleet renewal".to_owned(),
            amount: Some(amount),
            stage: "engaging".to_owned(),
            lost_reason: LostReason::NoBudget.into(),
            ..Opportunity::default()
        }
    }

    /// MDM-09: an entry says in a few words what happened.
    #[test]
    fn a_summary_says_what_happened_to_what_and_how_much_it_is_worth() {
        let step = OpportunityMoved { from_stage: "prospecting".to_owned(), to_stage: "engaging".to_owned() };
        let changed = ["amount", "close_date", "stage_time"].map(str::to_owned);
        let said = |verb| summarize(verb, &opportunity(), &changed, Some(&step));

        assert_eq!(said("created"), "Opportunity created: Fleet renewal, 1,234,567.50 USD");
        assert_eq!(said("won"), "Opportunity won: Fleet renewal, 1,234,567.50 USD");
        assert_eq!(said("lost"), "Opportunity lost: Fleet renewal, no budget");
        assert_eq!(said("moved"), "Opportunity moved from prospecting to engaging: Fleet renewal");
        assert_eq!(said("updated"), "Opportunity updated: Fleet renewal (amount, close date)");
        assert_eq!(said("undeleted"), "Opportunity restored: Fleet renewal");
        assert_eq!(said("reopened"), "Opportunity reopened: Fleet renewal");
        assert_eq!(said("handed_over"), "Opportunity handed over: Fleet renewal");
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let bare = Opportunity {
            display_name: "Fleet".to_owned(),
            stage: "engaging".to_owned(),
            ..Opportunity::default()
        };

        assert_eq!(summarize("won", &bare, &[], None), "Opportunity won: Fleet");
        assert_eq!(summarize("lost", &bare, &[], None), "Opportunity lost: Fleet");
        assert_eq!(summarize("moved", &bare, &[], None), "Opportunity moved to engaging: Fleet");
        assert_eq!(summarize("updated", &bare, &[], None), "Opportunity updated: Fleet");
    }

    #[test]
    fn amounts_have_the_decimals_of_their_currency() {
        let worth = |code: &str, units, nanos| {
            let money = Money { currency_code: code.to_owned(), units, nanos };
            amount(&Opportunity { amount: Some(money), ..Opportunity::default() })
        };

        assert_eq!(worth("JPY", 1_200, 0).as_deref(), Some("1,200 JPY"));
        assert_eq!(worth("KWD", 0, 5_000_000).as_deref(), Some("0.005 KWD"));
        assert_eq!(worth("USD", -999, -990_000_000).as_deref(), Some("-999.99 USD"));
        assert_eq!(worth("USD", 0, 1).as_deref(), None);
        assert_eq!(worth("dollars", 1, 0).as_deref(), None);
    }
}
