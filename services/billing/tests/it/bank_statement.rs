//! Bank statements: what is matched and why, that nothing is recorded twice, and that half a file does nothing.

use tonic::{Code, Response, Status};
use trato_proto::billing::v1::{
    ImportBankStatementRequest, ImportBankStatementResponse, Invoice, ListPaymentsRequest,
    import_bank_statement_request::Format,
    import_bank_statement_response::{Entry, Outcome, Reason},
    invoice::{Party, PaymentState},
};

use crate::{
    harness::{Billing, Desk, days_ago, eur, field, refusal, violations},
    opening::item,
    payment::{part, request_id},
};

/// The statement of the unit tests, on the days of now.
pub const CAMT: &str = include_str!("../data/camt053.xml");

impl Billing {
    pub async fn import(
        &self,
        request: ImportBankStatementRequest,
    ) -> Result<ImportBankStatementResponse, Status> {
        let answer = self.bank_statements().import_bank_statement(self.admin.request(request)).await;
        answer.map(Response::into_inner)
    }

    pub async fn payment_count(&self) -> usize {
        let request = ListPaymentsRequest::default();
        let page = self.payments().list_payments(self.admin.request(request)).await.expect("a page");
        page.into_inner().payments.len()
    }

    /// An issued invoice of 121.00 to somebody of this name.
    async fn owed_by_name(&self, desk: &Desk, display_name: &str) -> Invoice {
        let bill_to = Some(Party { display_name: display_name.into(), ..Default::default() });
        let account = self.account().await;
        let draft = Invoice { account, bill_to, ..desk.invoice(vec![desk.line("1", "1", "100")]) };
        let draft = self.create_invoice(draft).await.expect("a draft");
        self.issue(&draft, &desk.series).await.expect("issued")
    }
}

pub fn importing(desk: &Desk, format: Format, content: &str) -> ImportBankStatementRequest {
    ImportBankStatementRequest {
        legal_entity: desk.legal_entity.name.clone(),
        format: format.into(),
        content: content.as_bytes().to_vec(),
        request_id: request_id(),
        ..Default::default()
    }
}

pub fn brief(entry: &Entry) -> (&str, Outcome, Reason) {
    (entry.key.rsplit('/').next().unwrap_or_default(), entry.outcome(), entry.reason())
}

/// XTR-05, DOC-18: a number decides, an amount with the payer's name too, an amount alone is proposed, and what was recorded is
/// told and left alone, whoever sends the statement again.
#[tokio::test]
async fn a_statement_is_matched_and_says_why() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let named = billing.owed_by_name(&desk, "Hotel Miramar").await;
    let alike = billing.owed_by_name(&desk, "Bar Azul S.L.").await;
    let day = days_ago(3).expect("a day");
    let day = format!("{:04}-{:02}-{:02}", day.year, day.month, day.day);
    let file = format!(
        "key;date;amount;currency;reference;counterparty\n\
         1;{day};130.00;EUR;Your invoice F0001, thanks;\n\
         2;{day};121.00;EUR;;BAR AZUL, S.L.\n\
         3;{day};7.00;EUR;no idea;Somebody\n\
         4;{day};-9.90;EUR;Fee;\n"
    );
    let request = importing(&desk, Format::Csv, &file);

    let tried = ImportBankStatementRequest { validate_only: true, ..request.clone() };
    let tried = billing.import(tried).await.expect("it would pass");
    assert_eq!(billing.payment_count().await, 0, "it was only tried");
    let done = billing.import(request.clone()).await.expect("imported");
    let repeated = billing.import(request).await.expect("the answer");
    let again = billing.import(importing(&desk, Format::Csv, &file)).await.expect("imported");

    assert_eq!(
        done.entries.iter().map(brief).collect::<Vec<_>>(),
        [
            ("1", Outcome::Recorded, Reason::Number),
            ("2", Outcome::Recorded, Reason::AmountAndName),
            ("3", Outcome::Unmatched, Reason::Nothing),
            ("4", Outcome::Outgoing, Reason::Unspecified),
        ]
    );
    assert_eq!(tried.entries[0].allocations, done.entries[0].allocations);
    assert_eq!(repeated, done);
    let twice: Vec<_> = again.entries.iter().map(|entry| (entry.outcome(), &entry.payment)).collect();
    assert_eq!(twice[0], (Outcome::RecordedBefore, &done.entries[0].payment));
    assert_eq!((twice[1].0, twice[2].0), (Outcome::RecordedBefore, Outcome::Unmatched));
    assert_eq!(billing.payment_count().await, 2);
    assert_eq!(done.entries[0].allocations, [part(&named, "121.00")]);
    for invoice in [&named, &alike] {
        assert_eq!(billing.get_invoice(invoice).await.payment_state(), PaymentState::Paid);
    }
    assert_eq!(billing.trial(&desk).await["2100"], -900, "what was paid too much stays on the account");
}

/// XTR-05: a number that may be anything, such as that of an invoice that was taken over, is proposed, and why is said; with the
/// payer's name it decides.
#[tokio::test]
async fn a_number_that_may_be_anything_is_only_proposed() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let ledger = billing.ledger(&desk).await;
    let invoice = billing.take_over_invoice(item(&ledger, &desk.account, "12", "121.00")).await;
    let day = days_ago(3).expect("a day");
    let day = format!("{:04}-{:02}-{:02}", day.year, day.month, day.day);
    let file = format!(
        "key;date;amount;currency;reference;counterparty\n\
         1;{day};50.00;EUR;12 chairs, thanks;Bar Azul\n\
         2;{day};50.00;EUR;12;Hotel Miramar\n"
    );

    let done = billing.import(importing(&desk, Format::Csv, &file)).await.expect("imported");

    assert_eq!(
        done.entries.iter().map(brief).collect::<Vec<_>>(),
        [("1", Outcome::Proposed, Reason::NumberOnly), ("2", Outcome::Recorded, Reason::Number)]
    );
    assert_eq!(done.entries[0].failure_reason, "NUMBER_ONLY");
    assert_eq!(done.entries[0].allocations, [part(&invoice, "50.00")]);
    assert_eq!(billing.get_invoice(&invoice).await.open, eur("71.00"));
}

/// XTR-05: CAMT.053 is read, an amount alone is only proposed, and a payment in several entries pays in their order.
#[tokio::test]
async fn a_statement_of_camt_is_imported() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let first = billing.owed_by_name(&desk, "Hotel Miramar").await;
    let second = billing.owed_by_name(&desk, "Bar Azul").await;
    let third = billing.issued(&desk, &[("1", "1", "20.66")]).await;

    let done = billing.import(importing(&desk, Format::Camt053, CAMT)).await.expect("imported");

    assert_eq!(
        done.entries.iter().map(brief).collect::<Vec<_>>(),
        [
            ("A1", Outcome::Recorded, Reason::Number),
            ("0", Outcome::Recorded, Reason::Number),
            ("1", Outcome::Proposed, Reason::AmountOnly),
            ("A3", Outcome::Outgoing, Reason::Unspecified),
        ]
    );
    assert_eq!(done.entries[2].allocations, [part(&third, "25.00")]);
    assert_eq!(billing.get_invoice(&first).await.open, eur("0.00"));
    assert_eq!(billing.get_invoice(&second).await.open, eur("71.00"));
    assert_eq!(
        billing.get_invoice(&third).await.payment_state(),
        PaymentState::Unpaid,
        "it was only proposed"
    );
}

/// XTR-05: a file that was cut, has entities or does not add up is refused as a whole.
#[tokio::test]
async fn half_a_statement_does_nothing() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    billing.owed_by_name(&desk, "Hotel Miramar").await;
    let entity =
        CAMT.replace("<Document", "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><Document");
    let csv = "key,date,amount,currency,reference\n1,2026-11-27,121.00,EUR,F0001\n";

    for (format, content, reason) in [
        (Format::Camt053, &CAMT[..CAMT.len() / 2], "STATEMENT_MALFORMED"),
        (Format::Camt053, &CAMT[..CAMT.len() - 40], "STATEMENT_MALFORMED"),
        (Format::Camt053, csv, "STATEMENT_MALFORMED"),
        (Format::Camt053, &entity, "DTD_NOT_ALLOWED"),
        (Format::Camt053, &CAMT.replace("1186.10", "1186.11"), "STATEMENT_NOT_EVEN"),
        (Format::Csv, &csv[..csv.len() - 3], "STATEMENT_MALFORMED"),
        (Format::Csv, &csv.replace("EUR", "EURO"), "STATEMENT_FIELD_INVALID"),
        (Format::Csv, &csv.replace("amount", "sum"), "STATEMENT_FIELD_INVALID"),
    ] {
        let answer = billing.import(importing(&desk, format, content)).await;
        assert_eq!(refusal(answer), (Code::InvalidArgument, reason.to_owned()), "{content}");
    }
    let short = ImportBankStatementRequest { entry_count: 2, ..importing(&desk, Format::Csv, csv) };
    assert_eq!(
        refusal(billing.import(short).await),
        (Code::InvalidArgument, "STATEMENT_NOT_EVEN".to_owned())
    );
    let unsaid = importing(&desk, Format::Unspecified, csv);
    assert_eq!(violations(billing.import(unsaid).await), [field("format", "REQUIRED")]);
    let hasty =
        ImportBankStatementRequest { request_id: String::new(), ..importing(&desk, Format::Csv, csv) };
    assert_eq!(violations(billing.import(hasty).await), [field("request_id", "REQUIRED")]);
    assert_eq!(billing.payment_count().await, 0);
}
