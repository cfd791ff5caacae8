//! An invoice that another system issued, taken over with what is open of it. It is a claim like any other: paid, dunned, written
//! off. As a document it is not ours: it has one line, no tax, no series and no hash, and is not voided, credited or rendered.

use rust_decimal::Decimal;
use trato_platform::db::{NewEvent, Record, Tx, from_sqlx, statement::Statements};
use trato_pricing::{
    Amounts as LineAmounts, Priced, PricedLine, Prices, PricingError, Quantity, Totals, Trace, UnitPrice,
};
use trato_types::{Currency, Date, Error, Id, Kind as Failure, Minor, Ref, Result, Timestamp};

use super::{
    content::{Amounts, Discounts, Left, Line, Lines, Numbers, Party},
    model::{Invoice, InvoiceError, State},
};
use crate::{
    books::{Books, Chart, Claim, Kind, Role, minus},
    foreign::Account,
    legal_entity::{LegalEntity, TaxRounding},
};

/// Names the one line.
const KEY: &str = "1";

/// An open item of another system.
#[derive(Clone, Debug)]
pub struct Takeover {
    /// Whose it is.
    pub account: Ref<Account>,
    /// In whose books it is.
    pub legal_entity: Id<LegalEntity>,
    /// What is open: below zero what the account has paid in advance.
    pub amount: Minor,
    /// Currency of the amount.
    pub currency_code: Currency,
    /// Its number there; may be empty.
    pub number: String,
    /// What it is.
    pub description: String,
    /// By which others find it; may be empty.
    pub reference: String,
    /// Who was invoiced; without a name where that was not told.
    pub bill_to: Party,
    /// Day of issue there, not after `date`.
    pub issue_date: Date,
    /// Day on which it is due, not before it was issued.
    pub due_date: Date,
    /// Day on which it is taken over.
    pub date: Date,
}

/// Takes over an invoice of which so much is open, and posts it. ALREADY_EXISTS `NUMBER_TAKEN`.
pub async fn take_over(invoices: &Statements, tx: &mut Tx, chart: &Chart, takeover: Takeover) -> Result<()> {
    let date = takeover.date;
    require_unknown(tx, &takeover).await?;
    let rate = chart.rate(tx, takeover.currency_code, date).await?;
    let mut invoice = Invoice::taken_over(takeover, tx.cx().now)?;
    let claim = Claim::of(invoice.due, invoice.currency_code, chart.base, rate)?;
    let (amount, base) = (invoice.due, claim.open);
    invoice.books = Books(Some(claim));
    let record = Record::new(tx.cx(), invoice, None);
    let event = NewEvent::of(tx.cx(), "taken_over", None, &record);
    tx.insert(invoices, &[&record], vec![event]).await?;
    let mut posting = record.value.posting(Kind::Opening, record.id)?;
    posting.claim(record.id, amount, base);
    posting.add(Role::Equity, minus(amount)?, minus(base)?);
    chart.post(tx, &posting, date, record.value.known_as()).await
}

/// ALREADY_EXISTS `NUMBER_TAKEN` where an invoice has this number: whether we issued it or took it over, it is owed already.
async fn require_unknown(tx: &mut Tx, takeover: &Takeover) -> Result<()> {
    let tenant = tx.cx().tenant;
    let is_known: bool = sqlx::query_scalar(
        "select exists (
           select from invoice
           where tenant_id = $1 and legal_entity = $2 and number = $3 and delete_time is null
         )",
    )
    .bind(tenant)
    .bind(takeover.legal_entity.uuid())
    .bind(&takeover.number)
    .fetch_one(tx.connection())
    .await
    .map_err(from_sqlx)?;
    if is_known {
        let message = "an invoice of the legal entity has this number";
        return Err(
            Error::new(Failure::AlreadyExists, "NUMBER_TAKEN", message).with("number", &takeover.number)
        );
    }
    Ok(())
}

impl Invoice {
    /// One that another system issued, with what is open of it and not posted yet.
    fn taken_over(takeover: Takeover, now: Timestamp) -> Result<Self, PricingError> {
        let Takeover { amount, currency_code, .. } = takeover;
        Ok(Self {
            account: takeover.account,
            legal_entity: takeover.legal_entity,
            currency_code,
            bill_to: takeover.bill_to,
            seller: None,
            payment_term: None,
            supply_date: Some(takeover.issue_date),
            tax_inclusive: false,
            agreed_tax_rounding: None,
            tax_rounding: TaxRounding::Group,
            smallest_payment: None,
            lines: Lines(vec![line(takeover.description, amount, currency_code)?]),
            discounts: Discounts::default(),
            amounts: Amounts(Some(untaxed(amount, currency_code))),
            gross: amount,
            due: amount,
            credited: Minor(0),
            balance: Left(None),
            credited_due: Minor(0),
            paid: Minor(0),
            refunded: Minor(0),
            written_off: Minor(0),
            write_off_reason: String::new(),
            books: Books::default(),
            note: String::new(),
            source_document: String::new(),
            numbers: Numbers { buyer_reference: takeover.reference, ..Numbers::default() },
            state: State::Sent,
            number_series: None,
            period: None,
            ordinal: None,
            number: Some(takeover.number).filter(|number| !number.is_empty()),
            issue_date: Some(takeover.issue_date),
            due_date: Some(takeover.due_date),
            previous_hash: None,
            hash: None,
            send_time: Some(now),
            void_time: None,
            void_reason: String::new(),
            takeover_date: Some(takeover.date),
        })
    }

    /// FAILED_PRECONDITION for one that another system issued: the document is there.
    pub fn require_ours(&self) -> Result<(), InvoiceError> {
        if self.takeover_date.is_none() { Ok(()) } else { Err(InvoiceError::IssuedElsewhere) }
    }

    /// Day from which on its claim is in the books; none before it is issued.
    pub fn post_date(&self) -> Option<Date> {
        self.takeover_date.or(self.issue_date)
    }

    /// What it is known by in the books: its number, or what it is where it has none.
    pub fn known_as(&self) -> &str {
        let line = || self.lines.0.first().map(|line| line.description.as_str());
        self.number.as_deref().or_else(line).unwrap_or_default()
    }
}

fn line(description: String, amount: Minor, currency: Currency) -> Result<Line, PricingError> {
    Ok(Line {
        key: KEY.to_owned(),
        product: None,
        description,
        quantity: Quantity::ONE,
        unit: String::new(),
        unit_price: UnitPrice::try_from(Decimal::new(amount.0, currency.exponent()))?,
        discounts: Vec::new(),
        source_line: String::new(),
        taxes: Vec::new(),
        charges: Vec::new(),
    })
}

/// The one line and its total. The arithmetic of documents wants a tax on each line; what of this one is tax was posted elsewhere.
fn untaxed(amount: Minor, currency: Currency) -> Priced {
    let line = PricedLine {
        quantity: Quantity::ONE,
        base: amount,
        adjustments: Vec::new(),
        priced: amount,
        discounts: Vec::new(),
        line_net: amount,
        discount_net: Minor(0),
        amounts: LineAmounts {
            key: KEY.into(),
            net: amount,
            taxes: Vec::new(),
            gross: amount,
            withheld: Vec::new(),
        },
    };
    Priced {
        currency,
        prices: Prices::Net,
        lines: vec![line],
        charges: Vec::new(),
        discounts: Vec::new(),
        groups: Vec::new(),
        withheld: Vec::new(),
        totals: Totals { lines: amount, net: amount, gross: amount, due: amount, ..Totals::default() },
        trace: Trace { currency, steps: Vec::new() },
    }
}
