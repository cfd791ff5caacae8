//! Currencies without cents, and with more than two decimals.

use trato_proto::{
    billing::v1::{CreateExchangeRateRequest, ExchangeRate, Invoice},
    google::value::Money,
};

use crate::{
    credit_note::quantity,
    harness::{Billing, days_ago},
};

/// So many of the smallest units of a currency that has so many decimals.
fn money(code: &str, decimals: u32, minor: i64) -> Option<Money> {
    let (unit, nano) = (10_i64.pow(decimals), 10_i64.pow(9 - decimals));
    let nanos = i32::try_from(minor % unit * nano).expect("less than a unit");
    Some(Money { currency_code: code.into(), units: minor / unit, nanos })
}

/// DOC-06, XTR-05: a price that includes the tax stays what it is where there are no cents, and where there are thousandths; credited
/// by thirds nothing is left of it, in the books either.
#[tokio::test]
async fn included_taxes_are_exact_without_cents_and_with_thousandths() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let series = billing.credits(&desk).await;
    for (code, decimals, price, rate) in [("JPY", 0, "333.5", "0.0061"), ("KWD", 3, "0.3335", "3.01")] {
        let exchange_rate = ExchangeRate {
            date: days_ago(1),
            from_currency_code: code.into(),
            to_currency_code: "EUR".into(),
            rate: rate.into(),
            origin: "ECB".into(),
            ..Default::default()
        };
        let request = CreateExchangeRateRequest { exchange_rate: Some(exchange_rate), ..Default::default() };
        let answer = billing.exchange_rates().create_exchange_rate(billing.admin.request(request)).await;
        answer.expect("a rate");
        let draft = Invoice {
            currency_code: code.into(),
            tax_inclusive: true,
            ..desk.invoice(vec![desk.line("1", "3", price)])
        };
        let draft = billing.create_invoice(draft).await.expect("a draft");
        let invoice = billing.issue(&draft, &desk.series).await.expect("issued");

        let mut thirds = Vec::new();
        for _ in 0..3 {
            let third = billing.credit(&invoice, vec![quantity("1", "1")], &series).await.expect("a third");
            thirds.push(third.totals.expect("totals").gross);
        }
        let credited = billing.get_invoice(&invoice).await;

        let of = |minor| money(code, decimals, minor);
        let totals = invoice.totals.expect("totals");
        // 3 × 333.5 are 1000.5, rounded once; 1001 / 1.21 are 827.3.
        assert_eq!([totals.net, totals.tax, totals.gross], [of(827), of(174), of(1_001)]);
        assert_eq!(thirds, [of(334), of(334), of(333)]);
        assert_eq!((credited.credited, credited.open), (of(1_001), of(0)));
    }
    billing.assert_books_are_even(&desk, &["1200", "2200", "4000"]).await;
}
