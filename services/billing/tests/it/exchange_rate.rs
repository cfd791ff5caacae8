//! Exchange rates: a plain resource, one for each day, pair and origin.

use tonic::{Code, Response, Status};
use trato_proto::billing::v1::{CreateExchangeRateRequest, ExchangeRate, ListExchangeRatesRequest};

use crate::harness::{Billing, date, field, refusal, violations};

impl Billing {
    async fn create_exchange_rate(&self, exchange_rate: ExchangeRate) -> Result<ExchangeRate, Status> {
        let request = CreateExchangeRateRequest { exchange_rate: Some(exchange_rate), ..Default::default() };
        self.exchange_rates()
            .create_exchange_rate(self.admin.request(request))
            .await
            .map(Response::into_inner)
    }
}

fn dollars(rate: &str) -> ExchangeRate {
    ExchangeRate {
        date: date(2026, 1, 2),
        from_currency_code: "EUR".into(),
        to_currency_code: "USD".into(),
        rate: rate.into(),
        origin: "ECB".into(),
        ..Default::default()
    }
}

/// XTR-05: a day, a pair and an origin have one rate, which is kept to its last digit.
#[tokio::test]
async fn an_exchange_rate_is_kept_as_it_was_given() {
    let billing = Billing::start().await;

    let kept = billing.create_exchange_rate(dollars("123456.123456789012")).await.expect("a rate");
    let taken = billing.create_exchange_rate(dollars("1.1")).await;
    let of_another = ExchangeRate { origin: "bank".into(), ..dollars("0.000000000001") };
    let of_another = billing.create_exchange_rate(of_another).await.expect("another origin says otherwise");

    assert_eq!((kept.rate.as_str(), of_another.rate.as_str()), ("123456.123456789012", "0.000000000001"));
    assert_eq!(refusal(taken), (Code::AlreadyExists, "EXCHANGE_RATE_TAKEN".to_owned()));
    let filter = "from_currency_code = EUR AND date = \"2026-01-02\" AND origin = ECB".into();
    let request = ListExchangeRatesRequest { filter, ..Default::default() };
    let page = billing.exchange_rates().list_exchange_rates(billing.admin.request(request)).await;
    assert_eq!(page.expect("a page").into_inner().exchange_rates, [kept]);
}

/// XTR-05: a rate of zero, of a currency that does not exist, or with too many decimals is no rate.
#[tokio::test]
async fn all_that_is_wrong_with_an_exchange_rate_is_said() {
    let billing = Billing::start().await;

    for (rate, reason) in [
        ("0", "NOT_POSITIVE"),
        ("0.000", "NOT_POSITIVE"),
        ("-1.1", "NOT_POSITIVE"),
        ("1,1", "NOT_A_DECIMAL"),
        ("1.0000000000001", "TOO_MANY_DECIMALS"),
        ("1000000000000000000", "AMOUNT_TOO_LARGE"),
    ] {
        let answer = billing.create_exchange_rate(dollars(rate)).await;
        assert_eq!(violations(answer), [field("exchange_rate.rate", reason)], "{rate}");
    }
    let wrong = ExchangeRate {
        date: date(2026, 2, 30),
        from_currency_code: "XXX".into(),
        to_currency_code: "usd".into(),
        origin: "European Central Bank".into(),
        ..dollars("1.1")
    };
    let expected = [
        field("exchange_rate.date", "INVALID_DATE"),
        field("exchange_rate.from_currency_code", "UNKNOWN_CURRENCY"),
        field("exchange_rate.origin", "INVALID_CODE"),
        field("exchange_rate.to_currency_code", "INVALID_CURRENCY"),
    ];
    assert_eq!(violations(billing.create_exchange_rate(wrong).await), expected);
    let same = ExchangeRate { to_currency_code: "EUR".into(), ..dollars("1") };
    let same = billing.create_exchange_rate(same).await;
    assert_eq!(violations(same), [field("exchange_rate.to_currency_code", "SAME_CURRENCY")]);
}
