//! Documents as files: read what was stored, put it into words or terms, and print it beside the calls that wait.

use std::collections::HashSet;

use trato_einvoice::EInvoice;
use trato_paper::{Attachment, Document, Language, Paper};
use trato_platform::{
    App,
    db::{Database, Record, Resource, Tx, statement::Statements},
};
use trato_proto::billing::v1::{self as pb, rendered_document::Format};
use trato_types::{Context, Error, Id, Kind, Result, Violations};

use crate::{
    credit_note::{CreditNote, CreditNoteError},
    e_invoice::{self, Rules},
    invoice::Invoice,
    legal_entity::{LegalEntity, Logos, Seller},
    lookup::living,
    paper::Printing,
};

/// Renders invoices and credit notes.
pub struct Rendering {
    database: Database,
    legal_entities: Statements,
    invoices: Statements,
    logos: Logos,
}

/// As what a document is wanted.
struct Asked {
    format: Format,
    language: Language,
    paper: Paper,
}

impl Rendering {
    /// Over the app's database.
    pub fn new(app: &App) -> Self {
        Self {
            database: app.database.clone(),
            legal_entities: Statements::of::<LegalEntity>(),
            invoices: Statements::of::<Invoice>(),
            logos: Logos::new(&app.database),
        }
    }

    /// Renders an invoice.
    pub async fn invoice(
        &self,
        cx: &Context,
        record: Record<Invoice>,
        body: &pb::RenderInvoiceRequest,
    ) -> Result<pb::RenderedDocument> {
        let asked = Asked::parse(body.format, &body.language, body.paper)?;
        let invoice = &record.value;
        invoice.require_ours()?;
        if asked.format != Format::Pdf {
            invoice.require_issued()?;
        }
        let printing = self.printing(cx, invoice.seller.as_ref(), Some(invoice.legal_entity), &asked).await?;
        let document = printing.invoice(invoice, record.update_time.date_naive());
        let rules = asked.rules();
        let e_invoice = rules.map(|rules| e_invoice::of_invoice(invoice, rules)).transpose()?;
        asked.rendered(&record, document, e_invoice).await
    }

    /// Renders a credit note.
    pub async fn credit_note(
        &self,
        cx: &Context,
        record: Record<CreditNote>,
        body: &pb::RenderCreditNoteRequest,
    ) -> Result<pb::RenderedDocument> {
        let asked = Asked::parse(body.format, &body.language, body.paper)?;
        let credit_note = &record.value;
        if asked.format != Format::Pdf {
            credit_note.require_issued()?;
        }
        let invoice = self.credited(cx, credit_note).await?;
        let seller = credit_note.seller.as_ref();
        let printing = self.printing(cx, seller, Some(invoice.legal_entity), &asked).await?;
        let document = printing.credit_note(credit_note, &invoice, record.update_time.date_naive());
        let rules = asked.rules();
        let e_invoice =
            rules.map(|rules| e_invoice::of_credit_note(credit_note, &invoice, rules)).transpose()?;
        asked.rendered(&record, document, e_invoice).await
    }

    /// The invoice of a credit note, which says what its lines are.
    async fn credited(&self, cx: &Context, credit_note: &CreditNote) -> Result<Invoice> {
        let mut tx = Tx::of(&self.database, cx).await?;
        let id = credit_note.invoice.uuid();
        let found = living::<Invoice>(&mut tx, &self.invoices, HashSet::from([id])).await?;
        tx.roll_back().await?;
        Ok(found.into_values().next().ok_or(CreditNoteError::InvoiceNotFound)?)
    }

    /// Who makes out a document: as it stands on it; of a draft, what the legal entity is now.
    async fn printing(
        &self,
        cx: &Context,
        seller: Option<&Seller>,
        legal_entity: Option<Id<LegalEntity>>,
        asked: &Asked,
    ) -> Result<Printing> {
        let seller = match seller {
            Some(seller) => seller.clone(),
            None => self.seller_of_now(cx, legal_entity).await?,
        };
        let logo = match (asked.is_printed(), seller.logo) {
            (true, Some(hash)) => Some(self.logos.read(cx, hash).await?),
            _ => None,
        };
        Ok(Printing { language: asked.language, paper: asked.paper, seller, logo })
    }

    async fn seller_of_now(&self, cx: &Context, legal_entity: Option<Id<LegalEntity>>) -> Result<Seller> {
        let mut tx = Tx::of(&self.database, cx).await?;
        let ids = legal_entity.map(Id::uuid).into_iter().collect();
        let found = living::<LegalEntity>(&mut tx, &self.legal_entities, ids).await?;
        tx.roll_back().await?;
        let missing =
            || Error::new(Kind::Precondition, "LEGAL_ENTITY_NOT_FOUND", "there is no such legal entity");
        Ok(found.into_values().next().ok_or_else(missing)?.seller())
    }
}

impl Asked {
    fn parse(format: i32, language: &str, paper: i32) -> Result<Self> {
        use pb::rendered_document::Paper as Sheet;

        let mut violations = Violations::new();
        let language = match language {
            "" => Some(Language::default()),
            tag => violations.keep("language", tag.parse()),
        };
        let format = match Format::try_from(format) {
            Ok(Format::Unspecified) => Some(Format::Pdf),
            Ok(format) => Some(format),
            Err(_) => violations.keep("format", Err(trato_proto::wire::UnknownName)),
        };
        let paper = match Sheet::try_from(paper) {
            Ok(Sheet::Unspecified | Sheet::A4) => Some(Paper::A4),
            Ok(Sheet::Letter) => Some(Paper::Letter),
            Err(_) => violations.keep("paper", Err(trato_proto::wire::UnknownName)),
        };
        let asked = format.zip(language).zip(paper);
        violations.into_result(asked.map(|((format, language), paper)| Self { format, language, paper }))
    }

    const fn is_printed(&self) -> bool {
        matches!(self.format, Format::Pdf | Format::PdfHybrid)
    }

    /// The rules of the e-invoice that is asked for, if one is.
    const fn rules(&self) -> Option<Rules> {
        match self.format {
            Format::Unspecified | Format::Pdf => None,
            Format::PdfHybrid => Some(Rules::Standard),
            Format::Ubl | Format::Cii => Some(Rules::OfSeller),
        }
    }

    /// Prints beside the calls: a thousand lines take longer than others should wait for a thread.
    async fn rendered<T: Resource>(
        &self,
        record: &Record<T>,
        document: Document,
        e_invoice: Option<EInvoice>,
    ) -> Result<pb::RenderedDocument> {
        let (format, stem) = (self.format, document.file_stem());
        let print = move || print(format, &document, e_invoice.as_ref());
        let content = tokio::task::spawn_blocking(print).await.map_err(Error::internal)??;
        let (media_type, ending) =
            if self.is_printed() { ("application/pdf", "pdf") } else { ("application/xml", "xml") };
        Ok(pb::RenderedDocument {
            name: record.name(),
            content,
            media_type: media_type.to_owned(),
            file_name: format!("{stem}.{ending}"),
        })
    }
}

fn print(format: Format, document: &Document, e_invoice: Option<&EInvoice>) -> Result<Vec<u8>> {
    match (format, e_invoice) {
        (Format::PdfHybrid, Some(e_invoice)) => document.to_hybrid(&Attachment { cii: e_invoice.to_cii()? }),
        (Format::Ubl, Some(e_invoice)) => e_invoice.to_ubl(),
        (Format::Cii, Some(e_invoice)) => e_invoice.to_cii(),
        _ => document.to_pdf(),
    }
}
