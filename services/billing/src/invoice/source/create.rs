//! `CreateInvoiceFromSource`: everything is asked before, and written in one transaction.

use std::collections::{HashMap, HashSet};

use tonic::Request;
use trato_platform::{
    App,
    db::{Facts, NewEvent, Record, RequestKey, Resource as _, Tx, from_sqlx, statement::Statements},
    rpc::Caller,
    standard::{Reply, answer, new_record, once},
};
use trato_pricing::Quantity;
use trato_proto::{
    billing::v1 as pb, customers::v1::Account, sales::v1::price_document_request::TaxRounding as Rounding,
    wire,
};
use trato_types::{Address, Context, Error, Id, Result};
use uuid::Uuid;

use super::{
    convert::{Converter, Part},
    done::require_undone,
    read::Reader,
    sold::{Sold, SoldLine, SourceError, Supplied},
    spent,
};
use crate::{
    billable::{self, Room},
    delivery_note,
    invoice::{content::Lines, issue, model::Invoice, references::References},
    issuing::Issuing,
    parked_task::{Asking, By, Once},
    tax_code::TaxCode,
};

/// Turns documents of sales into invoices.
#[derive(Clone)]
pub struct Sourcing {
    reader: Reader,
    references: References,
    issuing: Issuing<Invoice>,
    database: trato_platform::db::Database,
    invoices: Statements,
    /// Parks what cannot be made.
    pub(super) asking: Asking<pb::CreateInvoiceFromSourceRequest>,
}

/// How much of which line is asked for; nothing where all that is left is.
pub(super) type Wishes = Vec<(String, Quantity)>;

impl Sourcing {
    /// Over the app's database; sales and customers are asked where the settings say that they are.
    pub fn new(app: &App) -> Self {
        Self {
            reader: Reader::new(app),
            references: References::new(app),
            issuing: Issuing::new(app, References::new(app)),
            database: app.database.clone(),
            invoices: Statements::of::<Invoice>(),
            asking: Asking::new(app),
        }
    }

    /// `CreateInvoiceFromSource`.
    pub async fn create(&self, request: Request<pb::CreateInvoiceFromSourceRequest>) -> Reply<pb::Invoice> {
        let caller = Caller::of(&request);
        answer(request, async |cx, mut body| {
            let caller = caller?;
            if body.request_id.is_empty() {
                let message = "a lost answer must not cost a second invoice";
                return Err(Error::invalid("request_id", "REQUIRED", message));
            }
            let asked = body.clone();
            let key = RequestKey::parse(&std::mem::take(&mut body.request_id), &body)?;
            let key = key.map(|key| Once { asker: cx.clone(), key });
            let made = self.create_once((cx, &caller), key.as_ref(), &body).await;
            self.asking.or_park(cx, &asked, made).await
        })
        .await
    }

    /// Makes the invoice, unless it was made under this identifier before.
    pub(super) async fn create_once(
        &self,
        by: By<'_>,
        key: Option<&Once>,
        body: &pb::CreateInvoiceFromSourceRequest,
    ) -> Result<pb::Invoice> {
        let attempt = self.create_one(by, key, body);
        let asker = key.map_or(by.0, |key| &key.asker);
        once(&self.database, asker, key.map(|key| &key.key), attempt).await
    }

    async fn create_one(
        &self,
        (cx, caller): By<'_>,
        key: Option<&Once>,
        body: &pb::CreateInvoiceFromSourceRequest,
    ) -> Result<pb::Invoice> {
        let wishes = parse_wishes(body)?;
        let sold = self.reader.sold(cx, caller, &body.source_document).await?;
        require_known(&wishes, &sold)?;
        let mut message = draft(body, &sold)?;
        if message.bill_to.is_none() {
            let account = self.reader.account(cx, caller, &sold.account).await?;
            message.bill_to = Some(bill_to(account, &sold));
        }
        let referred = pb::Invoice { lines: products(&sold), ..message.clone() };
        self.references.learn(cx, caller, std::iter::once(&referred)).await?;

        if let Some(order) = sold.order.as_ref().filter(|_| !body.validate_only) {
            self.remember(cx, &sold.name, order).await?;
        }
        let mut tx = Tx::of(&self.database, cx).await?;
        billable::record(&mut tx, sold.billables.clone()).await?;
        let ledger = billable::lock(&mut tx, &sold.name).await?;
        if let Some(key) = key.filter(|_| !wishes.is_empty()) {
            require_undone(&self.asking, &mut tx, key, (&sold, &ledger), &wishes).await?;
        }
        (message.lines, message.tax_inclusive) = lines(&mut tx, (&sold, &ledger), &wishes).await?;
        let mut record = new_record::<Invoice>(cx, Some(message), "invoice")?;
        let found = self.references.find(&mut tx, &[&record.value]).await?;
        if record.value.supply_date.is_none() {
            record.value.supply_date = match sold.supplied {
                Some(Supplied::At(time)) => Some(found.legal_entity(&record.value)?.time_zone.day_of(time)),
                Some(Supplied::On(day)) => Some(day),
                None => None,
            };
        }
        found.price(cx, &mut record.value)?;
        let event = NewEvent::of(cx, "created", None, &record);
        let mut event_id = event.id;
        tx.insert(&self.invoices, &[&record], vec![event]).await?;
        let stays_parked = self.asking.note_made(&mut tx, body).await?;
        if body.issue {
            let issued = self.issue(&mut tx, &record, body, stays_parked).await?;
            let event = NewEvent::with_facts(cx, "issued", Some(&record), &issued, Facts::default());
            event_id = event.id;
            tx.save(&self.invoices, &issued, event).await?;
            record = issued;
        }
        if let Some(key) = key {
            key.remember_event(&mut tx, event_id).await?;
        }
        if body.validate_only {
            tx.roll_back().await?;
        } else {
            tx.commit().await?;
        }
        Ok(Invoice::render(&record))
    }

    /// Notes which order a delivery note is of, by itself: consumers do so in one transaction with what else they hear, and would
    /// wait for the lines we lock while we wait for their note.
    async fn remember(&self, cx: &Context, delivery_note: &str, order: &str) -> Result<()> {
        let mut tx = Tx::of(&self.database, cx).await?;
        delivery_note::remember(&mut tx, delivery_note, order).await?;
        tx.commit().await
    }

    async fn issue(
        &self,
        tx: &mut Tx,
        draft: &Record<Invoice>,
        body: &pb::CreateInvoiceFromSourceRequest,
        stays_parked: bool,
    ) -> Result<Record<Invoice>> {
        let request = pb::IssueInvoiceRequest {
            name: draft.name(),
            number_series: body.number_series.clone(),
            ..Default::default()
        };
        let parked = stays_parked.then_some(&self.asking);
        let by = (&self.issuing, &self.references, parked);
        let (issued, _) = issue::issue(by, tx, draft, &request, None).await?;
        Ok(issued)
    }
}

/// What is asked for, or all that is left, as lines of an invoice.
async fn lines(
    tx: &mut Tx,
    (sold, ledger): (&Sold, &HashMap<String, Room>),
    wishes: &Wishes,
) -> Result<(Vec<pb::invoice::Line>, bool)> {
    let tax_codes = tax_codes(tx, Converter::tax_classes(sold)).await?;
    let mut converter = Converter::new(sold, &tax_codes)?;
    // Lines of a delivery note may deliver the same line of the order, and have its price together.
    let mut counted: HashMap<&str, Quantity> = HashMap::new();
    for line in &sold.lines {
        let taken = counted.entry(&line.priced).or_insert(Quantity::ZERO);
        let room = ledger.get(&line.key).copied().unwrap_or(Room::NONE).less(*taken)?;
        let (before, left) = (room.before, room.left());
        let quantity = match wishes.iter().find(|(key, _)| *key == line.key) {
            Some((_, quantity)) if *quantity > left => {
                let error = Error::new(
                    billable::EXCEEDED.kind,
                    billable::EXCEEDED.reason,
                    "more is asked for than is left",
                );
                return Err(error.with("source_line", &line.key).with("left", left));
            }
            Some((_, quantity)) => *quantity,
            None if wishes.is_empty() => left,
            None => continue,
        };
        if quantity > Quantity::ZERO {
            converter.write(&Part { source_line: &line.key, priced: &line.priced, before, quantity })?;
            *taken = taken.plus(quantity)?;
        }
    }
    let (lines, tax_inclusive) = converter.finish();
    if lines.is_empty() {
        let all: Vec<&SoldLine> = sold.lines.iter().collect();
        return Err(spent::why(tx, sold, &all, ledger).await?);
    }
    Ok((lines, tax_inclusive))
}

/// How much of which line a request asks for.
pub(super) fn parse_wishes(body: &pb::CreateInvoiceFromSourceRequest) -> Result<Wishes> {
    let mut violations = trato_types::Violations::new();
    let mut wishes: Wishes = Vec::new();
    let given = violations.keep("lines", wire::at_most(&body.lines, Lines::MAX)).unwrap_or_default();
    for (at, line) in given.iter().enumerate() {
        let quantity = line.quantity.parse().and_then(Quantity::positive);
        if wishes.iter().any(|(key, _)| *key == line.source_line) {
            violations.add(format!("lines[{at}].source_line"), "DUPLICATE", "is there twice");
        }
        if let Some(quantity) = violations.keep(&format!("lines[{at}].quantity"), quantity) {
            wishes.push((line.source_line.clone(), quantity));
        }
    }
    violations.into_result(Some(wishes))
}

fn require_known(wishes: &Wishes, sold: &Sold) -> Result<()> {
    let known: HashSet<&str> = sold.lines.iter().map(|line| line.key.as_str()).collect();
    let mut violations = trato_types::Violations::new();
    for (at, _) in wishes.iter().enumerate().filter(|(_, (key, _))| !known.contains(key.as_str())) {
        violations.add(
            format!("lines[{at}].source_line"),
            "UNKNOWN_LINE_KEY",
            "the document has no such line",
        );
    }
    violations.into_result(Some(()))
}

/// In whose name it is made out: that of the document, unless it leaves that open.
fn legal_entity(body: &pb::CreateInvoiceFromSourceRequest, sold: &Sold) -> Result<String> {
    match (body.legal_entity.as_str(), sold.legal_entity.as_str()) {
        ("", "") => {
            Err(Error::invalid("legal_entity", "REQUIRED", "the document does not say in whose name"))
        }
        ("", theirs) => Ok(theirs.to_owned()),
        (own, theirs) if theirs.is_empty() || own == theirs => Ok(own.to_owned()),
        (_, theirs) => Err(Error::from(SourceError::LegalEntityDiffers).with("legal_entity", theirs)),
    }
}

/// An invoice without lines.
fn draft(body: &pb::CreateInvoiceFromSourceRequest, sold: &Sold) -> Result<pb::Invoice> {
    let said = |own: &str, theirs: &str| if own.is_empty() { theirs.to_owned() } else { own.to_owned() };
    // What was sold without a word was rounded by group, whatever the legal entity says.
    let tax_rounding = match sold.document.tax_rounding() {
        Rounding::Unspecified | Rounding::Group => pb::legal_entity::TaxRounding::Group,
        Rounding::Line => pb::legal_entity::TaxRounding::Line,
    };
    Ok(pb::Invoice {
        account: sold.account.clone(),
        legal_entity: legal_entity(body, sold)?,
        currency_code: sold.document.currency_code.clone(),
        bill_to: body.bill_to.clone(),
        payment_term: said(&body.payment_term, &sold.document.payment_term),
        supply_date: body.supply_date,
        note: said(&body.note, &sold.document.note),
        source_document: sold.name.clone(),
        tax_rounding: tax_rounding.into(),
        smallest_payment: sold.document.smallest_payment.clone(),
        buyer_reference: body.buyer_reference.clone(),
        purchase_order: said(&body.purchase_order, &sold.numbers.purchase_order),
        sales_order_number: sold.numbers.sales_order.clone(),
        delivery_note_number: sold.numbers.delivery_note.clone(),
        ..Default::default()
    })
}

/// Who bought, as it stands on the document.
fn bill_to(account: Account, sold: &Sold) -> pb::invoice::Party {
    let name = if account.legal_name.is_empty() { account.display_name } else { account.legal_name };
    let own = account.address.map(Address::from);
    let address = sold.bill_to.clone().map(Address::from).or(own);
    pb::invoice::Party { display_name: name, tax_id: account.tax_id, address: address.map(Into::into) }
}

/// Lines with nothing but their products.
fn products(sold: &Sold) -> Vec<pb::invoice::Line> {
    let lines = sold.document.lines.iter().chain(&sold.document.given_lines);
    lines.map(|line| pb::invoice::Line { product: line.product.clone(), ..Default::default() }).collect()
}

/// Names of the living tax codes of these codes, by code.
async fn tax_codes(tx: &mut Tx, codes: Vec<String>) -> Result<HashMap<String, String>> {
    let tenant = tx.cx().tenant;
    let rows: Vec<(String, Uuid)> = sqlx::query_as(
        "select code, id from tax_code where tenant_id = $1 and code = any($2) and delete_time is null",
    )
    .bind(tenant)
    .bind(codes)
    .fetch_all(tx.connection())
    .await
    .map_err(from_sqlx)?;
    Ok(rows.into_iter().map(|(code, id)| (code, Id::<TaxCode>::from_uuid(id).name())).collect())
}
