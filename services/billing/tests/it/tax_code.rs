//! Tax codes: a plain resource with rates by day.

use tonic::{Code, Response};
use trato_proto::billing::v1::{
    Invoice, ListTaxCodesRequest, TaxCode, UpdateTaxCodeRequest,
    invoice::Line,
    tax_code::{Category, Rate},
};

use crate::harness::{Billing, date, days_ahead, eur, field, paths, rate, refusal, vat, violations};

/// XTR-05: a tax code has its rates by day, in their order, and tells all of it in its events.
#[tokio::test]
async fn a_tax_code_is_kept_with_its_rates_in_their_order() {
    let billing = Billing::start().await;
    let mut given = vat("ES-S");
    given.rates.reverse();

    let kept = billing.create_tax_code(given).await.expect("a tax code");

    assert_eq!(kept.rates, vat("ES-S").rates);
    let filter = "country_code = ES AND category = STANDARD AND inclusive_allowed = true".into();
    let request = ListTaxCodesRequest { filter, ..Default::default() };
    let page = billing.tax_codes().list_tax_codes(billing.admin.request(request)).await;
    assert_eq!(page.expect("a page").into_inner().tax_codes, std::slice::from_ref(&kept));
    let published = billing.service.published(billing.admin.tenant).await;
    assert_eq!(published[0].resource::<TaxCode>().expect("the whole resource"), kept);
}

/// XTR-05: a rate from next year is put in today, and no day has two.
#[tokio::test]
async fn a_rate_can_follow_another_and_none_overlap() {
    let billing = Billing::start().await;
    let kept = billing.create_tax_code(vat("ES-S")).await.expect("a tax code");
    let with = |rates: Vec<Rate>| UpdateTaxCodeRequest {
        tax_code: Some(TaxCode { rates, ..kept.clone() }),
        update_mask: Some(paths(&["rates"])),
        ..Default::default()
    };
    let next_year = rate("22", date(2027, 1, 1), None);
    let overlapping = with(vec![kept.rates[0].clone(), kept.rates[1].clone(), next_year.clone()]);
    let ended = Rate { valid_to: date(2026, 12, 31), ..kept.rates[1].clone() };
    let following = with(vec![kept.rates[0].clone(), ended, next_year]);

    let overlapping = billing.tax_codes().update_tax_code(billing.admin.request(overlapping)).await;
    let following = billing.tax_codes().update_tax_code(billing.admin.request(following)).await;

    assert_eq!(violations(overlapping), [field("tax_code.rates[2]", "RATES_OVERLAP")]);
    let percents: Vec<_> = following
        .map(Response::into_inner)
        .expect("updated")
        .rates
        .into_iter()
        .map(|rate| rate.percent)
        .collect();
    assert_eq!(percents, ["18", "21", "22"]);
}

/// Bad input: a rate from next year holds from its day on; before, the one of then holds, and where there is none nothing is
/// recorded.
#[tokio::test]
async fn a_rate_from_next_year_is_none_of_today() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let next_year = days_ahead(365);
    let rates = vec![rate("21", date(2012, 9, 1), days_ahead(364)), rate("22", next_year, None)];
    let changing = billing.create_tax_code(TaxCode { rates, ..vat("ES-N") }).await.expect("a tax code");
    let rates = vec![rate("5", next_year, None)];
    let coming = billing.create_tax_code(TaxCode { rates, ..vat("ES-C") }).await.expect("a tax code");
    let invoice = async |tax_code: &TaxCode, supply_date| {
        let line = Line { tax_codes: vec![tax_code.name.clone()], ..desk.line("1", "1", "100") };
        billing.create_invoice(Invoice { supply_date, ..desk.invoice(vec![line]) }).await
    };

    let too_early = invoice(&coming, None).await;
    let today = invoice(&changing, None).await.expect("a draft");
    let then = invoice(&changing, next_year).await.expect("a draft");
    let in_time = invoice(&coming, next_year).await.expect("a draft");

    assert_eq!(refusal(too_early), (Code::FailedPrecondition, "TAX_RATE_NOT_FOUND".to_owned()));
    let taxes = [today, then, in_time].map(|draft| draft.totals.expect("totals").tax);
    assert_eq!(taxes, [eur("21.00"), eur("22.00"), eur("5.00")]);
    let recorded = billing.event_types().await.into_iter().filter(|kind| kind == "invoice.created");
    assert_eq!(recorded.count(), 3);
}

#[tokio::test]
async fn all_that_is_wrong_with_a_tax_code_is_said_at_once() {
    let billing = Billing::start().await;
    let thirty = format!("21.{}", "1".repeat(30));
    let wrong = TaxCode {
        code: "ES S".into(),
        country_code: "Spain".into(),
        rates: vec![
            rate(&thirty, date(2012, 9, 1), None),
            rate("-1", date(2012, 2, 30), None),
            rate("1000", None, date(2012, 9, 1)),
            rate("1e1", date(2012, 9, 1), None),
        ],
        legal_note: "x".repeat(501),
        ..Default::default()
    };

    let answer = billing.create_tax_code(wrong).await;
    let many = TaxCode { rates: vec![rate("21", date(2012, 9, 1), None); 10_000], ..vat("ES-S") };
    let many = billing.create_tax_code(many).await;

    let expected = [
        field("tax_code.category", "REQUIRED"),
        field("tax_code.code", "INVALID_CODE"),
        field("tax_code.country_code", "INVALID_COUNTRY_CODE"),
        field("tax_code.display_name", "REQUIRED"),
        field("tax_code.legal_note", "TOO_LONG"),
        field("tax_code.rates[0].percent", "TOO_MANY_DECIMALS"),
        field("tax_code.rates[1].percent", "NEGATIVE_AMOUNT"),
        field("tax_code.rates[1].valid_from", "INVALID_DATE"),
        field("tax_code.rates[2].percent", "AMOUNT_TOO_LARGE"),
        field("tax_code.rates[2].valid_from", "REQUIRED"),
        field("tax_code.rates[3].percent", "NOT_A_DECIMAL"),
        field("tax_code.tax", "REQUIRED"),
    ];
    assert_eq!(violations(answer), expected);
    assert_eq!(violations(many), [field("tax_code.rates", "TOO_MANY")]);
}

/// XTR-05: a category has the rates and the note that EN 16931 asks of it.
#[tokio::test]
async fn rates_and_note_go_with_the_category() {
    let billing = Billing::start().await;
    let of = |category: Category, percent: &str, legal_note: &str| TaxCode {
        category: category.into(),
        rates: vec![rate(percent, date(2012, 9, 1), None)],
        legal_note: legal_note.into(),
        ..vat(&format!("{category:?}"))
    };

    let zero = billing.create_tax_code(of(Category::Standard, "0", "")).await;
    let taxed = billing.create_tax_code(of(Category::Exempt, "21", "")).await;
    let whole = billing.create_tax_code(of(Category::Withholding, "101", "")).await;

    let unsuited = field("tax_code.rates[0].percent", "TAX_RATE_UNSUITED");
    assert_eq!(violations(zero), std::slice::from_ref(&unsuited));
    let silent = field("tax_code.legal_note", "TAX_REASON_UNSUITED");
    assert_eq!(violations(taxed), [silent, unsuited.clone()]);
    assert_eq!(violations(whole), [unsuited]);
    for right in [
        of(Category::Exempt, "0", "Exempt by article 20"),
        of(Category::ReverseCharge, "0", "Reverse charge"),
        of(Category::Withholding, "15", ""),
        of(Category::Standard, "5.123456", ""),
    ] {
        assert!(billing.create_tax_code(right.clone()).await.is_ok(), "{right:?}");
    }
    let taken = billing.create_tax_code(of(Category::Standard, "21", "")).await;
    assert_eq!(refusal(taken), (Code::AlreadyExists, "TAX_CODE_TAKEN".to_owned()));
}
