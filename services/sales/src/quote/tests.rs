//! Rules of quotes, without a database: each verb by itself, and any sequence of them.

use std::sync::Arc;

use chrono::Datelike as _;
use chrono_tz::Tz;
use proptest::{collection::vec, prelude::*};
use trato_types::{Actor, Context, Currency, Date, Id, MemberRef, Minor, Ref, Result, Scope, Timestamp};
use uuid::Uuid;

use super::{
    approvals::{Approval, Approvals},
    error::QuoteError,
    model::{DeclineReason, Quote, State},
};
use crate::{
    document::Document,
    number_series::Numbered,
    parties::{Parties, day_in},
};

/// Noon of a day of November 2026.
fn noon(day: u32) -> Timestamp {
    date(day).and_hms_opt(12, 0, 0).expect("noon").and_utc()
}

fn date(day: u32) -> Date {
    Date::from_ymd_opt(2026, 11, day).expect("a day of November")
}

fn at(now: Timestamp) -> Context {
    Context {
        tenant: Uuid::nil(),
        actor: Actor::Member("ana".into()),
        scope: Scope::All,
        teams: Arc::new([]),
        method: "test".into(),
        now,
        traceparent: None,
        cause: None,
    }
}

fn member(subject: &str) -> MemberRef {
    MemberRef::from_subject(subject).expect("a subject")
}

fn numbered(day: u32) -> Option<Numbered> {
    Some(Numbered { number_series: Id::from_uuid(Uuid::nil()), number: "Q1".to_owned(), day: date(day) })
}

/// A draft that is valid until the 20th.
fn draft() -> Quote {
    let document = Document::empty(Currency::USD);
    Quote {
        owner: None,
        team: None,
        account: Ref::from_uuid(Uuid::from_u128(7)),
        contact: None,
        opportunity: None,
        document,
        currency_code: Currency::USD,
        net: Minor(100),
        gross: Minor(121),
        valid_until: Some(date(20)),
        legal_entity: None,
        root: Id::from_uuid(Uuid::from_u128(1)),
        version: 1,
        previous_version: None,
        state: State::Draft,
        number_series: None,
        number: None,
        submitter: None,
        submit_time: None,
        approvals: Approvals::default(),
        reject_reason: String::new(),
        send_time: None,
        view_time: None,
        view_count: 0,
        decision_time: None,
        accepter: String::new(),
        signature: String::new(),
        decline_reason: None,
        decline_note: String::new(),
        cancel_reason: String::new(),
        parties: None,
        valid_before: None,
        send_date: None,
    }
}

fn approval(approver: Option<&str>, team: Option<u128>) -> Approval {
    Approval {
        rule: Id::from_uuid(Uuid::nil()),
        display_name: "Large".to_owned(),
        approver: approver.map(str::to_owned),
        approver_team: team.map(|team| Ref::from_uuid(Uuid::from_u128(team))),
        approved: None,
    }
}

/// What is sent at noon of the 10th.
fn sent() -> Quote {
    let mut quote = draft();
    quote.submit(Approvals::default(), member("ana"), noon(10)).expect("a draft");
    quote.send(numbered(10), Parties::default(), noon(10), Tz::UTC).expect("nobody need approve");
    quote
}

fn reason<T: std::fmt::Debug>(result: Result<T>) -> &'static str {
    let error = result.expect_err("it is refused");
    error.violations().first().map_or(error.reason(), |violation| violation.reason)
}

/// DOC-01: each rule is satisfied by its approver, by a member of its team, or by anybody; by the submitter never.
#[test]
fn a_quote_is_approved_by_all_who_must() {
    let mut quote = draft();
    let approvals =
        Approvals(vec![approval(Some("head"), None), approval(None, Some(5)), approval(None, None)]);
    quote.submit(approvals, member("ana"), noon(1)).expect("a draft");
    assert_eq!(quote.state, State::InApproval);

    assert_eq!(reason(quote.approve(&member("ana"), &[Uuid::from_u128(5)], noon(2))), "OWN_APPROVAL");
    quote.approve(&member("head"), &[], noon(2)).expect("two rules are his");
    assert_eq!(reason(quote.approve(&member("head"), &[], noon(2))), "NOT_APPROVER");
    assert_eq!(quote.state, State::InApproval);
    quote.approve(&member("carl"), &[Uuid::from_u128(5)], noon(3)).expect("his team's");
    assert_eq!(quote.state, State::Approved);
    assert_eq!(reason(quote.approve(&member("carl"), &[], noon(3))), "QUOTE_NOT_IN_APPROVAL");
}

#[test]
fn a_rejected_quote_can_be_submitted_again() {
    let mut quote = draft();
    quote.submit(Approvals(vec![approval(None, None)]), member("ana"), noon(1)).expect("a draft");
    assert_eq!(reason(quote.reject(&member("head"), &[], " ")), "REQUIRED");
    quote.reject(&member("head"), &[], "Too cheap").expect("in approval");
    assert_eq!((quote.state, quote.reject_reason.as_str()), (State::Rejected, "Too cheap"));

    quote.submit(Approvals::default(), member("ana"), noon(2)).expect("rejected");
    assert_eq!((quote.state, quote.reject_reason.as_str()), (State::Approved, ""));
}

/// DOC-03: a quote is accepted until the end of its last day, by the day of the decision.
#[test]
fn a_quote_is_accepted_while_it_is_valid() {
    let accept = |decision, now| {
        let mut quote = sent();
        quote.accept(decision, "Eva", "envelope-1", &at(now)).map(|()| quote)
    };
    let midnight = date(21).and_hms_opt(0, 0, 0).expect("midnight").and_utc();
    let last = midnight - chrono::Duration::microseconds(1);
    assert_eq!(accept(None, last).expect("it is valid").decision_time, Some(last));
    assert_eq!(reason(accept(None, midnight)), "QUOTE_EXPIRED");
    assert_eq!(accept(Some(noon(20)), noon(25)).expect("it was valid").state, State::Accepted);
    assert_eq!(reason(accept(Some(noon(9)), noon(11))), "OUT_OF_ORDER");
    assert_eq!(reason(accept(Some(noon(12)), noon(11))), "IN_FUTURE");
    assert_eq!(reason(sent().accept(None, "", "", &at(noon(11)))), "REQUIRED");
    assert_eq!(reason(draft().accept(None, "Eva", "", &at(noon(11)))), "QUOTE_NOT_SENT");
}

#[test]
fn a_quote_expires_on_the_day_after_its_last() {
    let midnight = date(21).and_hms_opt(0, 0, 0).expect("midnight").and_utc();
    let mut quote = sent();
    assert_eq!(quote.expire(midnight - chrono::Duration::microseconds(1)), None);
    assert_eq!(quote.expire(noon(25)), Some(()));
    assert_eq!((quote.state, quote.decision_time), (State::Expired, Some(midnight)));
    assert_eq!(quote.expire(noon(26)), None);
    assert_eq!(Quote { valid_until: None, ..sent() }.expire(noon(28)), None);
}

/// DOC-03: the last day of a quote is that of the company that makes it out: it begins and ends there half a day before or after it
/// does in UTC, and this is so for sending, accepting and expiring. What was sent before zones were kept ends with the day of UTC.
#[test]
fn the_last_day_of_a_quote_is_that_of_who_makes_it_out() {
    let sent_in = |zone, now| {
        let mut quote = draft();
        quote.submit(Approvals::default(), member("ana"), noon(10)).expect("a draft");
        let numbered = numbered(day_in(zone, now).day());
        quote.send(numbered, Parties::default(), now, zone).map(|()| quote)
    };
    let of_day = |day, hour| date(day).and_hms_opt(hour, 0, 0).expect("an hour").and_utc();
    let (first, last) = (Tz::Pacific__Kiritimati, Tz::Etc__GMTPlus12);
    let sent = sent_in(last, of_day(21, 11)).expect("it is the 20th there");
    assert_eq!(sent.sent_on(), Some(date(20)));
    assert_eq!(Quote { send_date: None, ..sent }.sent_on(), Some(date(21)), "as it was before that was kept");
    assert_eq!(sent_in(first, of_day(20, 11)).expect_err("it is the 21st there"), QuoteError::Expired);

    for (zone, end) in [(first, of_day(20, 10)), (last, of_day(21, 12))] {
        let quote = sent_in(zone, noon(10)).expect("it is valid");
        let before = end - chrono::Duration::microseconds(1);
        let accept = |now| quote.clone().accept(None, "Eva", "", &at(now));
        let expire = |now| quote.clone().expire(now);
        assert!(accept(before).is_ok(), "{zone}");
        assert_eq!(reason(accept(end)), "QUOTE_EXPIRED", "{zone}");
        assert_eq!((expire(before), expire(end)), (None, Some(())), "{zone}");
    }
    let old = Quote { valid_before: None, ..sent_in(first, noon(10)).expect("it is valid") };
    assert!(old.clone().accept(None, "Eva", "", &at(of_day(20, 23))).is_ok());
}

/// DOC-01, DOC-03: a quote is of the day of its number, which may be a later one than it is where it is made out, even than the last on
/// which it is valid: it is sent, and accepted, while it is valid there. The next version has the number, and its own day.
#[test]
fn a_quote_is_of_the_day_of_its_number() {
    let approved = || {
        let mut quote = draft();
        quote.submit(Approvals::default(), member("ana"), noon(10)).expect("a draft");
        quote
    };
    let mut quote = approved();
    quote.send(numbered(21), Parties::default(), noon(20), Tz::UTC).expect("it is the last day");
    let late = approved().send(numbered(21), Parties::default(), noon(21), Tz::UTC);
    let mut next = Quote { number: quote.number.clone(), ..approved() };
    next.send(None, Parties::default(), noon(20), Tz::UTC).expect("it is the last day");

    assert_eq!((quote.sent_on(), quote.send_time), (Some(date(21)), Some(noon(20))));
    quote.accept(None, "Eva", "", &at(noon(20))).expect("it is the last day");
    assert_eq!(late, Err(QuoteError::Expired));
    assert_eq!(next.sent_on(), Some(date(20)));
}

#[test]
fn a_quote_is_declined_for_a_reason() {
    let decline = |reason, note| sent().decline(None, reason, note, &at(noon(11)));
    assert!(decline(Some(DeclineReason::Price), "").is_ok());
    assert_eq!(reason(decline(None, "")), "REQUIRED");
    assert_eq!(reason(decline(Some(DeclineReason::Other), " ")), "REQUIRED");
}

/// DOC-01: the next version has content and number of the one before it, which is superseded or keeps its outcome.
#[test]
fn the_next_version_goes_on_from_the_one_before_it() {
    let own = Id::from_uuid(Uuid::from_u128(1));
    let mut old = sent();
    let next = old.revise(own, 2, &at(noon(12))).expect("it is open");
    assert_eq!((old.state, old.decision_time), (State::Superseded, Some(noon(12))));
    assert_eq!((next.state, next.version, next.previous_version), (State::Draft, 2, Some(own)));
    assert_eq!((next.number.as_deref(), next.root, next.send_time), (Some("Q1"), old.root, None));

    let mut declined = sent();
    declined.decline(None, Some(DeclineReason::Price), "", &at(noon(11))).expect("it is sent");
    assert!(declined.revise(own, 2, &at(noon(12))).is_ok());
    assert_eq!(declined.state, State::Declined);
    assert_eq!(reason(old.revise(own, 3, &at(noon(12))).map_err(Into::into)), "QUOTE_CLOSED");
}

#[derive(Clone, Debug)]
enum Verb {
    Submit(bool),
    Approve,
    Reject,
    Send,
    View,
    Accept,
    Decline,
    Cancel,
    Expire,
    Revise,
}

fn verb() -> impl Strategy<Value = Verb> {
    prop_oneof![
        any::<bool>().prop_map(Verb::Submit),
        Just(Verb::Approve),
        Just(Verb::Reject),
        Just(Verb::Send),
        Just(Verb::View),
        Just(Verb::Accept),
        Just(Verb::Decline),
        Just(Verb::Cancel),
        Just(Verb::Expire),
        Just(Verb::Revise),
    ]
}

/// What becomes of the quote; what is refused leaves it as it was, because verbs work on a copy.
fn apply(quote: &Quote, verb: &Verb, cx: &Context) -> Option<Quote> {
    let mut changed = quote.clone();
    let who = member("head");
    let done = match verb {
        Verb::Submit(asks) => {
            let approvals = if *asks { vec![approval(None, None)] } else { Vec::new() };
            changed.submit(Approvals(approvals), member("ana"), cx.now).is_ok()
        }
        Verb::Approve => changed.approve(&who, &[], cx.now).is_ok(),
        Verb::Reject => changed.reject(&who, &[], "No").is_ok(),
        Verb::Send => changed.send(numbered(10), Parties::default(), cx.now, Tz::UTC).is_ok(),
        Verb::View => changed.view(cx.now).is_ok(),
        Verb::Accept => changed.accept(None, "Eva", "", cx).is_ok(),
        Verb::Decline => changed.decline(None, Some(DeclineReason::Timing), "", cx).is_ok(),
        Verb::Cancel => changed.cancel("No need", cx.now).is_ok(),
        Verb::Expire => changed.expire(cx.now).is_some(),
        Verb::Revise => changed.revise(quote.root, 2, cx).is_ok(),
    };
    done.then_some(changed)
}

proptest! {
    /// DOC-03: whatever is done, what was sent comes to one outcome at most, at a time that is not before it was sent.
    #[test]
    fn any_sequence_of_verbs_leads_to_one_outcome_at_most(verbs in vec((verb(), 1_u32..29), 0..40)) {
        let mut quote = draft();
        let mut outcome = None;
        let mut today = 1;
        for (verb, day) in &verbs {
            today = today.max(*day);
            let Some(changed) = apply(&quote, verb, &at(noon(today))) else { continue };
            let is_closed = matches!(
                changed.state,
                State::Accepted | State::Declined | State::Expired | State::Superseded | State::Cancelled
            );
            prop_assert_eq!(changed.decision_time.is_some(), is_closed);
            prop_assert!(changed.send_time.zip(changed.decision_time).is_none_or(|(sent, decided)| sent <= decided));
            prop_assert_eq!(changed.decline_reason.is_some(), changed.state == State::Declined);
            prop_assert_eq!(changed.view_time.is_some(), changed.view_count > 0);
            // A revision of what was declined or has expired changes nothing on it.
            if let Some(known) = outcome {
                prop_assert_eq!(changed.state, known);
            }
            outcome = is_closed.then_some(changed.state);
            quote = changed;
        }
    }
}
