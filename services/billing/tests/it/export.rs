//! The journal as an ERP gets it: page by page, also as CSV or Parquet.

use parquet::{
    data_type::Decimal as Digits,
    file::reader::{FileReader as _, SerializedFileReader},
    record::Field,
};
use rust_decimal::Decimal;
use trato_proto::{
    billing::v1::{
        CreateExchangeRateRequest, ExchangeRate, ExportPostingsRequest, Payment,
        export_postings_request::Format, payment::Method,
    },
    google::value::Money,
};
use trato_types::Date;

use crate::harness::{Billing, days_ago, eur, field, violations};

/// The columns of a Parquet file by name, and its rows.
fn read(file: Vec<u8>) -> (Vec<String>, Vec<Vec<Field>>) {
    let reader = SerializedFileReader::new(prost::bytes::Bytes::from(file)).expect("a file of its own");
    let schema = reader.metadata().file_metadata().schema();
    let names = schema.get_fields().iter().map(|column| column.name().to_owned()).collect();
    let rows = reader.get_row_iter(None).expect("rows").map(|row| {
        let row = row.expect("a row");
        row.get_column_iter().map(|(_, cell)| cell.clone()).collect()
    });
    (names, rows.collect())
}

/// The number that digits without a point stand for.
fn number(digits: &Digits) -> Decimal {
    let unscaled = i128::from_be_bytes(digits.data().try_into().expect("16 bytes"));
    Decimal::from_i128_with_scale(unscaled, digits.scale().unsigned_abs())
}

/// A cell says what a field of the CSV says.
fn assert_same(column: &str, cell: &Field, told: &str) {
    match cell {
        Field::Null => assert_eq!(told, "", "{column}"),
        Field::Int(number) => assert_eq!(told.parse::<i32>().ok(), Some(*number), "{column}"),
        Field::Date(days) => assert_eq!(told.parse::<Date>().ok(), Date::from_epoch_days(*days), "{column}"),
        Field::Decimal(digits) => assert_eq!(told.parse::<Decimal>().ok(), Some(number(digits)), "{column}"),
        // Only the CSV guards what a spreadsheet would take for a formula.
        Field::Str(text) => assert_eq!(told.strip_prefix('\'').unwrap_or(told), text, "{column}"),
        other => panic!("{column} is {other:?}"),
    }
}

impl Billing {
    /// What a yen is worth in euros, since yesterday.
    async fn yen(&self, rate: &str) {
        let exchange_rate = ExchangeRate {
            date: days_ago(1),
            from_currency_code: "JPY".into(),
            to_currency_code: "EUR".into(),
            rate: rate.into(),
            origin: "ECB".into(),
            ..Default::default()
        };
        let request = CreateExchangeRateRequest { exchange_rate: Some(exchange_rate), ..Default::default() };
        self.exchange_rates().create_exchange_rate(self.admin.request(request)).await.expect("a rate");
    }
}

/// XTR-05: the Parquet files of all pages hold, cell by cell, what their CSV holds, each amount and rate as an exact number.
#[tokio::test]
async fn parquet_says_what_csv_says() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let ledger = billing.ledger(&desk).await;
    let account = billing.account().await;
    billing.owed(&desk).await;
    billing.yen("0.006123456789").await;
    let yen = Money { currency_code: "JPY".into(), units: 1_234_567, nanos: 0 };
    billing.open_balance(&ledger, &account, Some(yen), days_ago(0)).await.expect("taken over");
    let cash = Payment {
        account,
        legal_entity: desk.legal_entity.name.clone(),
        amount: eur("2.05"),
        method: Method::Cash.into(),
        external_key: "=1+1, \"quoted\"".into(),
        ..Default::default()
    };
    billing.pay(cash, vec![]).await.expect("recorded");

    let (mut text, mut rows, mut heads) = (String::new(), Vec::new(), Vec::new());
    let mut token = String::new();
    loop {
        let csv = billing.export(&desk.legal_entity, &token, 2, Format::Csv).await.expect("a page");
        let parquet = billing.export(&desk.legal_entity, &token, 2, Format::Parquet).await.expect("a page");
        assert_eq!((&parquet.lines, parquet.csv.as_str()), (&csv.lines, ""));
        assert!(csv.parquet.is_empty());
        text.push_str(&csv.csv);
        let (names, of_page) = read(parquet.parquet);
        rows.extend(of_page);
        heads.push(names);
        token = csv.next_page_token;
        if token.is_empty() {
            break;
        }
    }

    let mut told = csv::Reader::from_reader(text.as_bytes());
    let head: Vec<String> = told.headers().expect("a head").iter().map(str::to_owned).collect();
    assert_eq!(heads, [head.clone(), head.clone()], "each page is a whole file");
    let lines: Vec<csv::StringRecord> = told.records().collect::<Result<_, _>>().expect("lines");
    assert_eq!((lines.len(), rows.len()), (7, 7), "three of the invoice, two of each of the others");
    for (line, row) in lines.iter().zip(&rows) {
        assert_eq!((line.len(), row.len()), (head.len(), head.len()));
        for ((column, told), cell) in head.iter().zip(line).zip(row) {
            assert_same(column, cell, told);
        }
    }
    let rates: Vec<&str> = lines.iter().map(|line| &line[head.len() - 1]).collect();
    assert!(rates.contains(&"0.006123456789"), "{rates:?}");
}

/// XTR-05: what is posted is exported whole, in pages that fit together, and as CSV with one line for each of the journal.
#[tokio::test]
async fn what_is_posted_is_exported_page_by_page() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    let ledger = billing.ledger(&desk).await;
    for _ in 0..4 {
        billing.owed(&desk).await;
    }
    let account = billing.account().await;
    billing.open_balance(&ledger, &account, eur("-7.50"), days_ago(40)).await.expect("taken over");
    let cash = Payment {
        account,
        legal_entity: desk.legal_entity.name.clone(),
        amount: eur("2.00"),
        method: Method::Cash.into(),
        external_key: "=1+1, \"quoted\"".into(),
        ..Default::default()
    };
    billing.pay(cash, vec![]).await.expect("recorded");

    let whole = billing.export(&desk.legal_entity, "", 1000, Format::Csv).await.expect("all of it");
    let pages = billing.journal(&desk).await;
    let wrong = billing.export(&desk.legal_entity, "yesterday", 0, Format::Csv).await;
    let unsaid = ExportPostingsRequest {
        legal_entity: desk.legal_entity.name.clone(),
        format: 9,
        ..Default::default()
    };
    let unsaid = billing.ledgers().export_postings(billing.admin.request(unsaid)).await;

    assert_eq!((whole.lines.len(), whole.next_page_token.as_str()), (16, ""));
    assert_eq!(whole.lines, pages);
    let rows: Vec<&str> = whole.csv.split("\r\n").collect();
    assert_eq!(rows.len(), 16 + 2, "a head, the lines, and nothing after the last");
    assert!(rows[0].starts_with("posting,line,date,kind,document,"), "{}", rows[0]);
    assert!(rows[1].ends_with(",9000,,EUR,7.50,,EUR,7.50,,1"), "{}", rows[1]);
    assert!(whole.csv.contains("\"'=1+1, \"\"quoted\"\"\""), "{}", whole.csv);
    assert_eq!(violations(wrong), [field("page_token", "INVALID_PAGE_TOKEN")]);
    let expected =
        [field("format", "UNKNOWN_VALUE"), field("from_date", "REQUIRED"), field("to_date", "REQUIRED")];
    assert_eq!(violations(unsaid), expected);
}
