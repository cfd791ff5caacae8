//! Documents as files: read what was stored, put it into words, and print it beside the calls that wait.

use trato_paper::{Document, Language, Logo, Paper};
use trato_platform::{
    App,
    db::{Database, Record, Resource, Tx, statement::Statements},
};
use trato_proto::sales::v1 as pb;
use trato_types::{Context, Date, Error, Ref, Result, Scope, Violations};

use crate::{
    delivery_note::DeliveryNote,
    foreign::{Account, LegalEntity},
    order::{Order, find_orders, order_not_found},
    paper::Printing,
    parties::{self, Parties},
    quote::Quote,
};

/// Renders quotes and delivery notes.
pub struct Rendering {
    database: Database,
    orders: Statements,
}

/// As what a document is wanted.
struct Asked {
    language: Language,
    paper: Paper,
}

impl Rendering {
    /// Over the app's database.
    pub fn new(app: &App) -> Self {
        Self { database: app.database.clone(), orders: Statements::of::<Order>() }
    }

    /// Renders a quote.
    pub async fn quote(
        &self,
        cx: &Context,
        record: Record<Quote>,
        body: &pb::RenderQuoteRequest,
    ) -> Result<pb::RenderedDocument> {
        let asked = Asked::parse(&body.language, body.paper)?;
        let quote = &record.value;
        quote.require_printable()?;
        let mut tx = Tx::of(&self.database, cx).await?;
        let kept = quote.parties.clone();
        let printing = asked.printing(&mut tx, kept, quote.legal_entity, quote.account).await?;
        let day = match quote.sent_on() {
            Some(day) => day,
            None => day_written(&mut tx, &record, quote.legal_entity).await?,
        };
        tx.roll_back().await?;
        let document = printing.quote(quote, day);
        // Versions have one number.
        let stem = match quote.number {
            Some(_) => format!("{}-v{}", document.file_stem(), quote.version),
            None => document.file_stem(),
        };
        rendered(&record, document, &stem).await
    }

    /// Renders a delivery note.
    pub async fn delivery_note(
        &self,
        cx: &Context,
        record: Record<DeliveryNote>,
        body: &pb::RenderDeliveryNoteRequest,
    ) -> Result<pb::RenderedDocument> {
        let asked = Asked::parse(&body.language, body.paper)?;
        let delivery_note = &record.value;
        // The same for all who may see the delivery note, whether they may see its order or not.
        let cx = Context { scope: Scope::All, ..cx.clone() };
        let mut tx = Tx::of(&self.database, &cx).await?;
        let id = delivery_note.order_id;
        let order = find_orders(&mut tx, &self.orders, vec![id]).await?;
        let order = order.into_values().next().ok_or_else(|| order_not_found(id))?;
        let kept = delivery_note.parties.clone();
        let printing = asked.printing(&mut tx, kept, delivery_note.legal_entity, order.account).await?;
        let day = match delivery_note.issue_date {
            Some(day) => day,
            None => day_written(&mut tx, &record, delivery_note.legal_entity).await?,
        };
        tx.roll_back().await?;
        let document = printing.delivery_note(delivery_note, &order, day);
        let stem = document.file_stem();
        rendered(&record, document, &stem).await
    }
}

impl Asked {
    fn parse(language: &str, paper: i32) -> Result<Self> {
        use pb::rendered_document::Paper as Sheet;

        let mut violations = Violations::new();
        let language = match language {
            "" => Some(Language::default()),
            tag => violations.keep("language", tag.parse()),
        };
        let paper = match Sheet::try_from(paper) {
            Ok(Sheet::Unspecified | Sheet::A4) => Some(Paper::A4),
            Ok(Sheet::Letter) => Some(Paper::Letter),
            Err(_) => violations.keep("paper", Err(trato_proto::wire::UnknownName)),
        };
        violations.into_result(language.zip(paper).map(|(language, paper)| Self { language, paper }))
    }

    /// Who makes out a document and who gets it: as was kept with it; what is missing, as it is known now.
    async fn printing(
        &self,
        tx: &mut Tx,
        kept: Option<Parties>,
        legal_entity: Option<Ref<LegalEntity>>,
        account: Ref<Account>,
    ) -> Result<Printing> {
        let kept = kept.unwrap_or_default();
        let now = if kept.are_complete() {
            Parties::default()
        } else {
            parties::store::find(tx, legal_entity, account).await?
        };
        let (issuer, recipient) = kept.or(now)?;
        let logo: Option<Logo> = match &issuer.logo {
            Some(hash) => Some(parties::store::read_logo(tx, hash).await?),
            None => None,
        };
        Ok(Printing { language: self.language, paper: self.paper, issuer, recipient, logo })
    }
}

/// The day of a document that has none of its own yet: that on which it was written last, where it is made out.
async fn day_written<T>(
    tx: &mut Tx,
    record: &Record<T>,
    legal_entity: Option<Ref<LegalEntity>>,
) -> Result<Date> {
    let zone = parties::store::find_known_zone(tx, legal_entity).await?;
    Ok(parties::day_in(zone, record.update_time))
}

/// Prints beside the calls: a thousand lines take longer than others should wait for a thread.
async fn rendered<T: Resource>(
    record: &Record<T>,
    document: Document,
    stem: &str,
) -> Result<pb::RenderedDocument> {
    let print = move || document.to_pdf();
    let content = tokio::task::spawn_blocking(print).await.map_err(Error::internal)??;
    Ok(pb::RenderedDocument {
        name: record.name(),
        content,
        media_type: "application/pdf".to_owned(),
        file_name: format!("{stem}.pdf"),
    })
}
