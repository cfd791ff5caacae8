//! `QuoteService`. A quote on the wire is in `parse.rs` and `render.rs`.

use std::sync::Arc;

use futures::FutureExt as _;
use tonic::{Request, Status};
use trato_platform::{
    App,
    db::{Constraint, Facts, Record, Resource, Tx},
    directory::Directory,
    rpc::status::to_status,
    standard::{Drafts, Reply, Store, answer},
};
use trato_proto::sales::v1::{self as pb, quote_service_server::QuoteService};
use trato_query::Field;
use trato_types::{Context, Error, Id, MemberRef, Result, Violations};
use uuid::Uuid;

use super::{
    accept::Accepting,
    model::{Quote, State},
    parse, render, revise, send, store, submit,
};
use crate::{order, references::References, rendering::Rendering};

/// Serves quotes.
pub struct Api {
    quotes: Store<Quote>,
    drafts: Drafts<Quote>,
    references: References,
    directory: Arc<Directory>,
    accepting: Accepting,
    rendering: Rendering,
}

impl Api {
    /// The service over the app's database; it asks customers for accounts it does not know.
    pub fn new(app: &App) -> Self {
        Self {
            quotes: Store::new(&app.database),
            drafts: Drafts::new(&app.database, References::new(app)),
            references: References::new(app),
            directory: app.directory.clone(),
            accepting: Accepting::new(),
            rendering: Rendering::new(app),
        }
    }

    /// The teams of the caller, by which approvals are his.
    async fn teams_of<R>(&self, request: &Request<R>) -> Result<Arc<[Uuid]>, Status> {
        let cx = request.extensions().get::<Context>();
        let cx = cx.ok_or_else(|| to_status(Error::internal("the call has no context")))?;
        let Some(subject) = cx.actor.subject() else { return Ok(Arc::default()) };
        self.directory.teams(cx.tenant, subject).await.map_err(to_status)
    }

    /// Name of the order that a quote has become; empty while there is none.
    async fn order_of(&self, cx: &Context, quote: &Record<Quote>) -> Result<String> {
        if quote.value.state != State::Accepted {
            return Ok(String::new());
        }
        let mut tx = Tx::of(self.quotes.database(), cx).await?;
        let order = order::find_order_of(&mut tx, Id::from_uuid(quote.id)).await?;
        tx.roll_back().await?;
        Ok(order.map(Id::name).unwrap_or_default())
    }
}

#[tonic::async_trait]
impl QuoteService for Api {
    async fn get_quote(&self, request: Request<pb::GetQuoteRequest>) -> Reply<pb::Quote> {
        answer(request, async |cx, body| {
            let quote = self.quotes.read(cx, &body.name).await?;
            let order = self.order_of(cx, &quote).await?;
            Ok(pb::Quote { order, ..render::render(&quote) })
        })
        .await
    }
    async fn list_quotes(&self, request: Request<pb::ListQuotesRequest>) -> Reply<pb::ListQuotesResponse> {
        self.quotes.list(request).await
    }
    async fn create_quote(&self, request: Request<pb::CreateQuoteRequest>) -> Reply<pb::Quote> {
        self.drafts.create(request).await
    }
    async fn update_quote(&self, request: Request<pb::UpdateQuoteRequest>) -> Reply<pb::Quote> {
        self.drafts.update(request).await
    }
    async fn delete_quote(&self, request: Request<pb::DeleteQuoteRequest>) -> Reply<pb::Quote> {
        self.quotes.delete(request).await
    }
    async fn undelete_quote(&self, request: Request<pb::UndeleteQuoteRequest>) -> Reply<pb::Quote> {
        self.quotes.undelete(request).await
    }
    async fn batch_get_quotes(
        &self,
        request: Request<pb::BatchGetQuotesRequest>,
    ) -> Reply<pb::BatchGetQuotesResponse> {
        self.quotes.batch_get(request).await
    }
    async fn batch_create_quotes(
        &self,
        request: Request<pb::BatchCreateQuotesRequest>,
    ) -> Reply<pb::BatchCreateQuotesResponse> {
        self.drafts.batch_create(request).await
    }
    async fn upsert_quote(&self, request: Request<pb::UpsertQuoteRequest>) -> Reply<pb::Quote> {
        self.drafts.upsert(request).await
    }

    async fn submit_quote(&self, request: Request<pb::SubmitQuoteRequest>) -> Reply<pb::Quote> {
        let references = &self.references;
        self.quotes
            .change_in(request, "submitted", |tx, before, _| {
                let references = references.clone();
                async move { submit::submit(&references, tx, before).await }.boxed()
            })
            .await
    }
    async fn approve_quote(&self, request: Request<pb::ApproveQuoteRequest>) -> Reply<pb::Quote> {
        let teams = self.teams_of(&request).await?;
        let approve = |quote: &mut Quote, _: &pb::ApproveQuoteRequest, cx: &Context| {
            quote.approve(&caller(cx)?, &teams, cx.now)?;
            Ok(Facts::default())
        };
        self.quotes.change(request, "approved", approve).await
    }
    async fn reject_quote(&self, request: Request<pb::RejectQuoteRequest>) -> Reply<pb::Quote> {
        let teams = self.teams_of(&request).await?;
        let reject = |quote: &mut Quote, body: &pb::RejectQuoteRequest, cx: &Context| {
            quote.reject(&caller(cx)?, &teams, &body.reason)?;
            Ok(Facts::default())
        };
        self.quotes.change(request, "rejected", reject).await
    }
    async fn send_quote(&self, request: Request<pb::SendQuoteRequest>) -> Reply<pb::Quote> {
        let why = "a lost answer must not cost a second number";
        send::require_request_id(&request.get_ref().request_id, why).map_err(to_status)?;
        self.quotes.change_in(request, "sent", |tx, before, body| send::send(tx, before, body).boxed()).await
    }
    async fn record_quote_view(&self, request: Request<pb::RecordQuoteViewRequest>) -> Reply<pb::Quote> {
        let view = |quote: &mut Quote, _: &pb::RecordQuoteViewRequest, cx: &Context| {
            quote.view(cx.now)?;
            Ok(Facts::default())
        };
        self.quotes.change(request, "viewed", view).await
    }
    async fn accept_quote(&self, request: Request<pb::AcceptQuoteRequest>) -> Reply<pb::Quote> {
        let why = "a lost answer must not take a budget twice";
        send::require_request_id(&request.get_ref().request_id, why).map_err(to_status)?;
        let accepting = self.accepting;
        self.quotes
            .change_in(request, "accepted", |tx, before, body| {
                async move { accepting.accept(tx, before, body).await }.boxed()
            })
            .await
    }
    async fn decline_quote(&self, request: Request<pb::DeclineQuoteRequest>) -> Reply<pb::Quote> {
        self.quotes.change(request, "declined", decline).await
    }
    async fn cancel_quote(&self, request: Request<pb::CancelQuoteRequest>) -> Reply<pb::Quote> {
        let cancel = |quote: &mut Quote, body: &pb::CancelQuoteRequest, cx: &Context| {
            quote.cancel(&body.reason, cx.now)?;
            Ok(Facts::default())
        };
        self.quotes.change(request, "cancelled", cancel).await
    }
    async fn revise_quote(&self, request: Request<pb::ReviseQuoteRequest>) -> Reply<pb::Quote> {
        revise::revise(&self.quotes, request).await
    }
    async fn render_quote(&self, request: Request<pb::RenderQuoteRequest>) -> Reply<pb::RenderedDocument> {
        answer(request, async |cx, body| {
            let quote = self.quotes.read(cx, &body.name).await?;
            self.rendering.quote(cx, quote, &body).await
        })
        .await
    }
}

impl Resource for Quote {
    type Message = pb::Quote;
    const TABLE: &'static str = "quote";
    const COLLECTION: &'static str = "quotes";
    const EVENT: &'static str = "trato.sales.v1.quote";
    const FIELDS: &'static [Field] = store::FIELDS;
    const CONSTRAINTS: &'static [Constraint] = store::CONSTRAINTS;
    const OWNABLE: bool = true;

    fn fill_defaults(message: &mut pb::Quote, cx: &Context) {
        if message.owner.is_empty() && cx.actor.subject().is_some() {
            message.owner = cx.actor.to_string();
        }
    }

    fn parse(message: &pb::Quote, cx: &Context) -> Result<Self> {
        parse::parse(message, cx)
    }

    fn render(record: &Record<Self>) -> pb::Quote {
        render::render(record)
    }

    fn owner(&self) -> Option<&str> {
        self.owner.as_ref().map(MemberRef::subject)
    }

    fn team(&self) -> Option<Uuid> {
        self.team.map(|team| team.uuid())
    }

    /// The first version gives its identifier to all of them.
    fn new_id(&self) -> Uuid {
        if self.version == 1 { self.root.uuid() } else { Uuid::now_v7() }
    }
}

fn decline(quote: &mut Quote, body: &pb::DeclineQuoteRequest, cx: &Context) -> Result<Facts> {
    let mut violations = Violations::new();
    let reason = violations.keep("reason", parse::parse_decline_reason(body.reason)).flatten();
    let decision_time = parse::parse_time(body.decision_time.as_ref(), "decision_time", &mut violations);
    violations.into_result(Some(()))?;
    quote.decline(decision_time, reason, &body.note, cx)?;
    Ok(Facts::of(&quote.declined()).at(quote.decision_time))
}

/// Who approves or rejects.
fn caller(cx: &Context) -> Result<MemberRef> {
    let subject = cx.actor.subject().ok_or_else(|| Error::internal("the caller is nobody"))?;
    MemberRef::from_subject(subject).map_err(Error::internal)
}
