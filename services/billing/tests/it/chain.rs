//! The chain: what was issued cannot be changed, and who changes it nevertheless is found out.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, postgres::PgConnectOptions};
use tonic::{Response, Status};
use trato_platform::testing::stack;
use trato_proto::billing::v1::{
    Invoice, NumberSeries, VerifyChainRequest, VerifyChainResponse, verify_chain_response::Fault,
};

use crate::harness::{Billing, Desk, field, violations};

impl Billing {
    pub async fn verify(
        &self,
        series: &NumberSeries,
        first_ordinal: i64,
        last_ordinal: i64,
    ) -> Result<VerifyChainResponse, Status> {
        let number_series = series.name.clone();
        let request = VerifyChainRequest { number_series, first_ordinal, last_ordinal, ..Default::default() };
        self.invoices().verify_chain(self.admin.request(request)).await.map(Response::into_inner)
    }

    /// Issues this many invoices.
    async fn issue_some(&self, desk: &Desk, count: usize) -> Vec<Invoice> {
        let mut issued = Vec::with_capacity(count);
        for _ in 0..count {
            let draft = self.create_invoice(desk.invoice(vec![desk.line("1", "1", "100")])).await;
            issued.push(self.issue(&draft.expect("a draft"), &desk.series).await.expect("issued"));
        }
        issued
    }

    /// What the superuser does to this test's database, with triggers as they are or out of the way.
    pub async fn tamper(&self, statement: &str, past_triggers: bool) -> Result<(), sqlx::Error> {
        let mut tx = self.service.transaction(self.admin.tenant).await;
        let database: String = sqlx::query_scalar("select current_database()")
            .fetch_one(tx.connection())
            .await
            .expect("a database has a name");
        let url = stack()["postgres"]["superuser_url"].as_str().expect("the superuser's address").to_owned();
        let options: PgConnectOptions = url.parse().expect("an address of PostgreSQL");
        let mut connection = PgConnection::connect_with(&options.database(&database)).await?;
        if past_triggers {
            sqlx::raw_sql("set session_replication_role = replica").execute(&mut connection).await?;
        }
        sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await?;
        connection.close().await
    }
}

fn found(answer: Result<VerifyChainResponse, Status>) -> (i64, Fault, i64) {
    let answer = answer.expect("an answer");
    (answer.verified, answer.fault(), answer.fault_ordinal)
}

/// DOC-06: not even the owner of the database changes an issued invoice, or takes it away.
#[tokio::test]
async fn the_database_refuses_to_change_what_was_issued() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    billing.issue_some(&desk, 1).await;

    for statement in [
        "update invoice set gross = gross + 1",
        "update invoice set lines = lines || lines",
        "update invoice set note = 'paid'",
        "update invoice set number = 'F0002'",
        "update invoice set hash = previous_hash",
        "update invoice set state = 'DRAFT'",
        "update invoice set void_reason = 'none'",
        "update invoice set delete_time = now()",
        "delete from invoice",
    ] {
        let error = billing.tamper(statement, false).await.expect_err(statement);
        assert!(error.to_string().contains("issued invoice does not change"), "{statement}: {error}");
    }
    for statement in [
        "update series_counter set last_ordinal = last_ordinal + 2",
        "update series_counter set last_ordinal = last_ordinal - 1",
        "update series_counter set last_ordinal = last_ordinal + 1",
        "update series_counter set last_hash = sha256('')",
        "update series_counter set last_hash = null",
        "update series_counter set last_issue_date = last_issue_date - 1",
        "update series_counter set period = '2027'",
        "delete from series_counter",
    ] {
        let error = billing.tamper(statement, false).await.expect_err(statement);
        assert!(error.to_string().contains("a counter only goes on"), "{statement}: {error}");
    }
    for statement in ["truncate invoice, credit_note, allocation, ledger_entry", "truncate series_counter"] {
        let error = billing.tamper(statement, false).await.expect_err(statement);
        assert!(error.to_string().contains("is not emptied"), "{statement}: {error}");
    }
    billing.create_invoice(desk.invoice(vec![desk.line("1", "1", "100")])).await.expect("a draft");
    for state in ["SENT", "VOID"] {
        let statement = format!("update invoice set state = '{state}' where state = 'DRAFT'");
        let error = billing.tamper(&statement, false).await.expect_err(&statement);
        assert!(error.to_string().contains("issued invoice does not change"), "{statement}: {error}");
    }
    assert_eq!(found(billing.verify(&desk.series, 0, 0).await), (1, Fault::Unspecified, 0));
}

/// DOC-06: whoever gets past the table's own rules is found out by the chain, wherever it was.
#[tokio::test]
async fn an_invoice_that_was_tampered_with_is_found() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    billing.issue_some(&desk, 5).await;
    let whole = billing.verify(&desk.series, 0, 0).await;
    let part = billing.verify(&desk.series, 2, 4).await;
    assert_eq!((found(whole), found(part)), ((5, Fault::Unspecified, 0), (3, Fault::Unspecified, 0)));

    billing.tamper("update invoice set gross = 1 where ordinal = 3", true).await.expect("done");
    assert_eq!(found(billing.verify(&desk.series, 0, 0).await), (2, Fault::Changed, 3));
    assert_eq!(found(billing.verify(&desk.series, 4, 5).await), (2, Fault::Unspecified, 0));

    billing.tamper("delete from invoice where ordinal = 3", true).await.expect("done");
    assert_eq!(found(billing.verify(&desk.series, 0, 0).await), (2, Fault::Missing, 3));
    assert_eq!(found(billing.verify(&desk.series, 3, 5).await), (0, Fault::Missing, 3));
}

/// DOC-06: a chain that is followed in parts proves as much as one that is followed at once: each part follows on the one
/// before it.
#[tokio::test]
async fn parts_of_a_chain_follow_on_one_another() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    billing.issue_some(&desk, 5).await;

    let (mut ends, mut first_ordinal) = (Vec::new(), 1);
    while first_ordinal != 0 {
        let number_series = desk.series.name.clone();
        let request =
            VerifyChainRequest { number_series, first_ordinal, max_documents: 2, ..Default::default() };
        let answer = billing.invoices().verify_chain(billing.admin.request(request)).await;
        let answer = answer.expect("an answer").into_inner();
        first_ordinal = answer.next_ordinal;
        ends.push((answer.verified, answer.next_ordinal));
    }
    assert_eq!(ends, [(2, 3), (2, 5), (1, 0)]);

    // The last one of the first part is forged: the second part looks at none that has changed.
    billing.tamper("update invoice set hash = sha256('') where ordinal = 2", true).await.expect("done");
    assert_eq!(found(billing.verify(&desk.series, 3, 4).await), (0, Fault::Unchained, 3));
    billing.tamper("delete from invoice where ordinal = 2", true).await.expect("done");
    assert_eq!(found(billing.verify(&desk.series, 3, 4).await), (0, Fault::Missing, 2));
    assert_eq!(found(billing.verify(&desk.series, 6, 0).await), (0, Fault::Unspecified, 0), "none is given");
}

/// DOC-06: the last invoices cannot be taken away either, since the series knows how far it has come.
#[tokio::test]
async fn the_end_of_a_chain_cannot_be_cut_off() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    billing.issue_some(&desk, 3).await;

    billing.tamper("delete from invoice where ordinal = 3", true).await.expect("done");
    assert_eq!(found(billing.verify(&desk.series, 0, 0).await), (2, Fault::Missing, 3));
    billing.tamper("update series_counter set last_ordinal = 2", true).await.expect("done");
    assert_eq!(found(billing.verify(&desk.series, 0, 0).await), (2, Fault::Unchained, 2));
}

#[tokio::test]
async fn a_range_is_not_negative_and_an_empty_series_is_whole() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;

    let negative = billing.verify(&desk.series, -1, -2).await;
    let empty = billing.verify(&desk.series, 0, 0).await;
    let number_series = desk.series.name.clone();
    let nothing = VerifyChainRequest {
        number_series,
        period: "20\u{0}26".into(),
        max_documents: -1,
        ..Default::default()
    };
    let nothing = billing.invoices().verify_chain(billing.admin.request(nothing)).await;

    let expected = [field("first_ordinal", "OUT_OF_RANGE"), field("last_ordinal", "OUT_OF_RANGE")];
    assert_eq!(violations(negative), expected);
    assert_eq!(
        violations(nothing),
        [field("max_documents", "OUT_OF_RANGE"), field("period", "CONTROL_CHARACTER")]
    );
    assert_eq!(found(empty), (0, Fault::Unspecified, 0));
}
