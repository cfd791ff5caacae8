//! Number series: a plain resource whose numbers can be foretold, and which stays once it has given one.

use futures::future::join_all;
use sqlx::AssertSqlSafe;
use tonic::{Code, Response, Status};
use trato_proto::billing::v1::{
    DeleteNumberSeriesRequest, NumberSeries, PreviewNumberRequest, PreviewNumberResponse,
    UpdateNumberSeriesRequest,
    number_series::{DocumentKind, Period},
};
use uuid::Uuid;

use crate::harness::{Billing, date, field, invoices, paths, refusal, violations};

impl Billing {
    async fn preview_number(
        &self,
        name: &str,
        day: Option<trato_proto::google::value::Date>,
    ) -> Result<PreviewNumberResponse, Status> {
        let request = PreviewNumberRequest { name: name.into(), date: day };
        self.number_series().preview_number(self.admin.request(request)).await.map(Response::into_inner)
    }
}

/// XTR-05: the numbers of a series begin again with each year where it says so.
#[tokio::test]
async fn the_next_number_of_a_series_is_foretold() {
    let billing = Billing::start().await;
    let entity = billing.legal_entity("Hispania").await;
    let plain = billing.series(&entity, "F").await;
    let yearly = NumberSeries { period: Period::Year.into(), ..invoices(&entity, "G") };
    let yearly = billing.create_series(yearly).await.expect("a series");

    let first = billing.preview_number(&plain.name, None).await.expect("a number");
    let of_the_year = billing.preview_number(&yearly.name, date(2026, 11, 30)).await.expect("a number");
    let without_a_day = billing.preview_number(&yearly.name, None).await;
    let of_no_day = billing.preview_number(&yearly.name, date(2026, 2, 30)).await;

    assert_eq!((first.number.as_str(), first.ordinal), ("F0001", 1));
    assert_eq!(of_the_year.number, "G2026-0001");
    assert_eq!(violations(without_a_day), [field("date", "REQUIRED")]);
    assert_eq!(violations(of_no_day), [field("date", "INVALID_DATE")]);
}

/// XTR-05: with a new year the numbers begin again, however far the one before has come, and the chain with them; the year before
/// would go on where it stands.
#[tokio::test]
async fn the_numbers_begin_again_with_the_year() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let yearly = NumberSeries { period: Period::Year.into(), ..invoices(&desk.legal_entity, "Y") };
    let yearly = billing.create_series(yearly).await.expect("a series");
    let (tenant, id) = (billing.admin.tenant, yearly.name.replace("numberSeries/", ""));
    let before = format!(
        "insert into series_counter (tenant_id, series, period, last_ordinal, last_issue_date)
         values ('{tenant}', '{id}', '2020', 41, '2020-12-31')"
    );
    billing.tamper(&before, false).await.expect("a year with numbers");
    let draft = desk.invoice(vec![desk.line("1", "1", "100")]);
    let draft = billing.create_invoice(draft).await.expect("a draft");

    let last_day = billing.preview_number(&yearly.name, date(2020, 12, 31)).await.expect("a number");
    let first_day = billing.preview_number(&yearly.name, date(2021, 1, 1)).await.expect("a number");
    let issued = billing.issue(&draft, &yearly).await.expect("issued");

    assert_eq!((last_day.number.as_str(), last_day.ordinal), ("Y2020-0042", 42));
    assert_eq!((first_day.number.as_str(), first_day.ordinal), ("Y2021-0001", 1));
    let year = issued.issue_date.expect("a day").year;
    assert_eq!((issued.number, issued.hash.len()), (format!("Y{year}-0001"), 64));
}

#[tokio::test]
async fn a_series_cannot_change_its_numbers() {
    let billing = Billing::start().await;
    let entity = billing.legal_entity("Hispania").await;
    let series = billing.series(&entity, "F").await;

    let other = billing.legal_entity("Lusitania").await;
    let changed = NumberSeries {
        legal_entity: other.name,
        document_kind: DocumentKind::CreditNote.into(),
        prefix: "G".into(),
        period: Period::Year.into(),
        padding: 2,
        gap_free: false,
        ..series.clone()
    };
    let fields = ["document_kind", "gap_free", "legal_entity", "padding", "period", "prefix"];
    let request = UpdateNumberSeriesRequest {
        number_series: Some(changed),
        update_mask: Some(paths(&fields)),
        ..Default::default()
    };
    let answer = billing.number_series().update_number_series(billing.admin.request(request)).await;

    let expected = fields.map(|name| field(&format!("number_series.{name}"), "IMMUTABLE"));
    assert_eq!(violations(answer), expected);
}

#[tokio::test]
async fn a_prefix_belongs_to_one_series_of_a_legal_entity() {
    let billing = Billing::start().await;
    let (first, second) = (billing.legal_entity("Hispania").await, billing.legal_entity("Lusitania").await);
    billing.series(&first, "F").await;

    let taken = billing.create_series(invoices(&first, "F")).await;
    let elsewhere = billing.create_series(invoices(&second, "F")).await;

    assert_eq!(refusal(taken), (Code::AlreadyExists, "SERIES_PREFIX_TAKEN".to_owned()));
    assert!(elsewhere.is_ok());
}

/// XTR-05: two series never come to the same number, whatever they number, since the later one is refused.
#[tokio::test]
async fn two_series_never_come_to_the_same_number() {
    let billing = Billing::start().await;
    let entity = billing.legal_entity("Hispania").await;
    let yearly = |prefix| NumberSeries { period: Period::Year.into(), ..invoices(&entity, prefix) };
    let credits =
        |prefix| NumberSeries { document_kind: DocumentKind::CreditNote.into(), ..invoices(&entity, prefix) };
    billing.series(&entity, "F").await;
    billing.series(&entity, "H12").await;
    billing.create_series(yearly("G")).await.expect("a series");

    let ambiguous = [invoices(&entity, "F1"), credits("F007"), credits("H"), invoices(&entity, "G2026-")];
    for series in ambiguous.into_iter().chain([credits("G2026-1")]) {
        let prefix = series.prefix.clone();
        let expected = (Code::AlreadyExists, "SERIES_PREFIX_AMBIGUOUS".to_owned());
        assert_eq!(refusal(billing.create_series(series).await), expected, "{prefix}");
    }
    for series in [invoices(&entity, "FA"), credits("F2-"), yearly("F3"), credits("G1"), yearly("H")] {
        let prefix = series.prefix.clone();
        assert!(billing.create_series(series).await.is_ok(), "{prefix}");
    }
    let other = billing.legal_entity("Lusitania").await;
    billing.series(&other, "F1").await;
    let at_once = [invoices(&entity, "K"), invoices(&entity, "K1"), credits("K12"), credits("K123")];
    let at_once = join_all(at_once.into_iter().map(|series| billing.create_series(series))).await;
    assert_eq!(at_once.iter().filter(|answer| answer.is_ok()).count(), 1, "{at_once:?}");
}

/// XTR-05: a series lives while it gives its first number, whoever is faster.
#[tokio::test]
async fn a_series_that_gives_its_first_number_lives() {
    let billing = Billing::start().await;
    let entity = billing.legal_entity("Hispania").await;
    let series = billing.series(&entity, "F").await;
    let (tenant, id) = (billing.admin.tenant, series.name.replace("numberSeries/", ""));
    let first = format!(
        "insert into series_counter (tenant_id, series, period, last_ordinal, last_issue_date)
         values ('{tenant}', '{id}', '', 1, '2026-11-30')"
    );
    let mut tx = billing.service.transaction(tenant).await;
    let taken = sqlx::query(AssertSqlSafe(first.clone())).execute(tx.connection()).await;
    assert_eq!(taken.expect("the number is taken").rows_affected(), 1);

    let delete = "set lock_timeout = '200ms'; update number_series set delete_time = now()";
    let waiting = billing.tamper(delete, false).await.expect_err("it waits");
    tx.roll_back().await.expect("the number is given back");
    billing.tamper(delete, false).await.expect("nothing is in the way");
    let late = billing.tamper(&first, false).await.expect_err("the series is deleted");

    assert!(waiting.to_string().contains("lock timeout"), "{waiting}");
    assert!(late.to_string().contains("no such number series"), "{late}");
}

#[tokio::test]
async fn all_that_is_wrong_with_a_series_is_said_at_once() {
    let billing = Billing::start().await;
    let entity = billing.legal_entity("Hispania").await;
    let wrong = NumberSeries {
        display_name: " ".into(),
        legal_entity: "accounts/1".into(),
        document_kind: 0,
        period: 9,
        padding: 13,
        ..invoices(&entity, "F 1")
    };

    let answer = billing.create_series(wrong).await;
    let nobody = format!("legalEntities/{}", Uuid::now_v7());
    let nobody = billing.create_series(NumberSeries { legal_entity: nobody, ..invoices(&entity, "F") }).await;

    let expected = [
        field("number_series.display_name", "EMPTY"),
        field("number_series.document_kind", "REQUIRED"),
        field("number_series.legal_entity", "INVALID_RESOURCE_NAME"),
        field("number_series.padding", "OUT_OF_RANGE"),
        field("number_series.period", "UNKNOWN_VALUE"),
        field("number_series.prefix", "INVALID_PREFIX"),
    ];
    assert_eq!(violations(answer), expected);
    assert_eq!(refusal(nobody), (Code::FailedPrecondition, "LEGAL_ENTITY_NOT_FOUND".to_owned()));
}

#[tokio::test]
async fn a_series_without_numbers_can_be_deleted() {
    let billing = Billing::start().await;
    let entity = billing.legal_entity("Hispania").await;
    let series = billing.series(&entity, "F").await;

    let delete = DeleteNumberSeriesRequest { name: series.name, ..Default::default() };
    let deleted = billing.number_series().delete_number_series(billing.admin.request(delete)).await;

    assert!(deleted.expect("deleted").into_inner().delete_time.is_some());
    billing.series(&entity, "F").await;
}
