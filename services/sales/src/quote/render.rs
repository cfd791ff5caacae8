//! A quote as clients get it, and the facts that ride on its events.

use trato_platform::db::Record;
use trato_proto::{sales::v1 as pb, wire};
use trato_types::{Id, MemberRef, Ref};

use super::{
    approvals::Approval,
    model::{DeclineReason, Quote, State},
};
use crate::{
    document,
    parties::{render_issuer, render_recipient},
};

/// The public form of a record.
pub fn render(record: &Record<Quote>) -> pb::Quote {
    let quote = &record.value;
    let parties = quote.parties.as_ref();
    let (source, external_id) = record.external_fields();
    pb::Quote {
        name: record.name(),
        create_time: Some(wire::timestamp(record.create_time)),
        update_time: Some(wire::timestamp(record.update_time)),
        delete_time: record.delete_time.map(wire::timestamp),
        creator: record.creator.clone(),
        etag: record.etag(),
        source,
        external_id,
        owner: quote.owner.as_ref().map(MemberRef::name).unwrap_or_default(),
        team: quote.team.map(Ref::name).unwrap_or_default(),
        account: quote.account.name(),
        contact: quote.contact.map(Ref::name).unwrap_or_default(),
        opportunity: quote.opportunity.map(Id::name).unwrap_or_default(),
        document: Some(document::render(&quote.document)),
        valid_until: quote.valid_until.map(wire::date),
        legal_entity: quote.legal_entity.map(Ref::name).unwrap_or_default(),
        root: quote.root.name(),
        version: version(quote),
        previous_version: quote.previous_version.map(Id::name).unwrap_or_default(),
        state: render_state(quote.state).into(),
        number_series: quote.number_series.map(Id::name).unwrap_or_default(),
        number: quote.number.clone().unwrap_or_default(),
        submitter: quote.submitter.as_ref().map(MemberRef::name).unwrap_or_default(),
        submit_time: quote.submit_time.map(wire::timestamp),
        approvals: quote.approvals.0.iter().map(render_approval).collect(),
        reject_reason: quote.reject_reason.clone(),
        send_time: quote.send_time.map(wire::timestamp),
        view_time: quote.view_time.map(wire::timestamp),
        view_count: i32::try_from(quote.view_count).unwrap_or(i32::MAX),
        decision_time: quote.decision_time.map(wire::timestamp),
        accepter: quote.accepter.clone(),
        signature: quote.signature.clone(),
        decline_reason: render_decline_reason(quote.decline_reason).into(),
        decline_note: quote.decline_note.clone(),
        cancel_reason: quote.cancel_reason.clone(),
        issuer: parties.and_then(|parties| parties.issuer.as_ref()).map(render_issuer),
        recipient: parties.and_then(|parties| parties.recipient.as_ref()).map(render_recipient),
        // It stands on the order: whoever reads one quote looks there.
        order: String::new(),
    }
}

impl Quote {
    /// What is said of it on the event by which it was sent.
    pub fn sent(&self) -> pb::QuoteSent {
        let money = |amount| Some(wire::money(amount, self.currency_code));
        pb::QuoteSent {
            account: self.account.name(),
            opportunity: self.opportunity.map(Id::name).unwrap_or_default(),
            number: self.number.clone().unwrap_or_default(),
            version: version(self),
            net: money(self.net),
            gross: money(self.gross),
            valid_until: self.valid_until.map(wire::date),
        }
    }

    /// What is said of it on the event by which it was accepted.
    pub fn accepted(&self) -> pb::QuoteAccepted {
        let pb::QuoteSent { account, opportunity, number, version, net, gross, .. } = self.sent();
        pb::QuoteAccepted { account, opportunity, number, version, net, gross }
    }

    /// What is said of it on the event by which it was declined.
    pub fn declined(&self) -> pb::QuoteDeclined {
        let pb::QuoteSent { account, opportunity, number, version, net, gross, .. } = self.sent();
        let reason = render_decline_reason(self.decline_reason).into();
        pb::QuoteDeclined { account, opportunity, number, version, net, gross, reason }
    }

    /// What is said of it on the event by which it expired.
    pub fn expired(&self) -> pb::QuoteExpired {
        let pb::QuoteSent { account, opportunity, number, version, net, gross, valid_until } = self.sent();
        pb::QuoteExpired { account, opportunity, number, version, net, gross, valid_until }
    }
}

/// It was counted up from one by a person at a time.
fn version(quote: &Quote) -> i32 {
    i32::try_from(quote.version).unwrap_or(i32::MAX)
}

fn render_approval(approval: &Approval) -> pb::quote::Approval {
    let member = |subject: &String| format!("members/{subject}");
    pb::quote::Approval {
        approval_rule: approval.rule.name(),
        display_name: approval.display_name.clone(),
        approver: approval.approver.as_ref().map(member).unwrap_or_default(),
        approver_team: approval.approver_team.map(Ref::name).unwrap_or_default(),
        approved_by: approval.approved.as_ref().map(|(subject, _)| member(subject)).unwrap_or_default(),
        approve_time: approval.approved.as_ref().map(|(_, time)| wire::timestamp(*time)),
    }
}

fn render_state(state: State) -> pb::quote::State {
    match state {
        State::Draft => pb::quote::State::Draft,
        State::InApproval => pb::quote::State::InApproval,
        State::Approved => pb::quote::State::Approved,
        State::Rejected => pb::quote::State::Rejected,
        State::Sent => pb::quote::State::Sent,
        State::Accepted => pb::quote::State::Accepted,
        State::Declined => pb::quote::State::Declined,
        State::Expired => pb::quote::State::Expired,
        State::Superseded => pb::quote::State::Superseded,
        State::Cancelled => pb::quote::State::Cancelled,
    }
}

fn render_decline_reason(reason: Option<DeclineReason>) -> pb::quote::DeclineReason {
    let Some(reason) = reason else { return pb::quote::DeclineReason::Unspecified };
    match reason {
        DeclineReason::Price => pb::quote::DeclineReason::Price,
        DeclineReason::Competitor => pb::quote::DeclineReason::Competitor,
        DeclineReason::NoBudget => pb::quote::DeclineReason::NoBudget,
        DeclineReason::NoDecision => pb::quote::DeclineReason::NoDecision,
        DeclineReason::ProductFit => pb::quote::DeclineReason::ProductFit,
        DeclineReason::Timing => pb::quote::DeclineReason::Timing,
        DeclineReason::Other => pb::quote::DeclineReason::Other,
    }
}
