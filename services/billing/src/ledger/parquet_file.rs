//! A page of the journal as a Parquet file: the columns of the CSV, each with its type, so that no reader has to guess one.

use std::sync::Arc;

use parquet::{
    basic::Compression,
    data_type::{ByteArray, ByteArrayType, DataType, FixedLenByteArray, FixedLenByteArrayType, Int32Type},
    errors::{ParquetError, Result as Written},
    file::{
        properties::WriterProperties,
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::parser::parse_message_type,
};
use rust_decimal::Decimal;
use trato_proto::{
    billing::v1::JournalLine,
    google::value::{Date, Money},
    wire,
};
use trato_types::{Error, Result};

/// The columns, in the order of the CSV. Amounts have room for all of the table: 19 digits of minor units, of currencies with
/// none to four decimals. Rates are as in the table.
const SCHEMA: &str = "message journal {
    required binary posting (STRING);
    required int32 line;
    required int32 date (DATE);
    required binary kind (STRING);
    required binary document (STRING);
    required binary description (STRING);
    required binary account (STRING);
    required binary account_code (STRING);
    optional binary tax (STRING);
    optional binary currency (STRING);
    optional fixed_len_byte_array(16) debit (DECIMAL(23,4));
    optional fixed_len_byte_array(16) credit (DECIMAL(23,4));
    optional binary base_currency (STRING);
    optional fixed_len_byte_array(16) base_debit (DECIMAL(23,4));
    optional fixed_len_byte_array(16) base_credit (DECIMAL(23,4));
    required fixed_len_byte_array(16) rate (DECIMAL(30,12));
}";
/// What a unit of a currency is written as.
const UNIT: i128 = 10_000;
/// Nanos in one of these; no currency has an amount between two.
const NANOS: i128 = 100_000;
/// Decimals that a rate is written with.
const RATE_SCALE: u32 = 12;

/// Writes the lines as a whole file, in one group of rows: there are no more than a page has.
pub fn write(lines: &[JournalLine]) -> Result<Vec<u8>> {
    write_columns(lines).map_err(Error::internal)
}

fn write_columns(lines: &[JournalLine]) -> Written<Vec<u8>> {
    let schema = Arc::new(parse_message_type(SCHEMA)?);
    let properties = Arc::new(WriterProperties::builder().set_compression(Compression::SNAPPY).build());
    let mut file = SerializedFileWriter::new(Vec::new(), schema, properties)?;
    if !lines.is_empty() {
        write_rows(Group { rows: file.next_row_group()?, lines })?;
    }
    file.into_inner()
}

fn write_rows(mut group: Group<'_>) -> Written<()> {
    group.write::<ByteArrayType>(|line| Some(text(&line.posting)))?;
    group.write::<Int32Type>(|line| Some(line.line))?;
    group.write::<Int32Type>(|line| line.date.as_ref().and_then(day))?;
    group.write::<ByteArrayType>(|line| Some(text(line.kind().as_str_name())))?;
    group.write::<ByteArrayType>(|line| Some(text(&line.document)))?;
    group.write::<ByteArrayType>(|line| Some(text(&line.description)))?;
    group.write::<ByteArrayType>(|line| Some(text(&line.account)))?;
    group.write::<ByteArrayType>(|line| Some(text(&line.account_code)))?;
    group.write::<ByteArrayType>(|line| (!line.tax.is_empty()).then(|| text(&line.tax)))?;
    group.write::<ByteArrayType>(|line| currency(line.debit.as_ref(), line.credit.as_ref()))?;
    group.write::<FixedLenByteArrayType>(|line| amount(line.debit.as_ref()))?;
    group.write::<FixedLenByteArrayType>(|line| amount(line.credit.as_ref()))?;
    group.write::<ByteArrayType>(|line| currency(line.base_debit.as_ref(), line.base_credit.as_ref()))?;
    group.write::<FixedLenByteArrayType>(|line| amount(line.base_debit.as_ref()))?;
    group.write::<FixedLenByteArrayType>(|line| amount(line.base_credit.as_ref()))?;
    group.write::<FixedLenByteArrayType>(|line| rate(&line.rate))?;
    group.rows.close()?;
    Ok(())
}

/// The rows of a file, written column by column.
struct Group<'a> {
    rows: SerializedRowGroupWriter<'a, Vec<u8>>,
    lines: &'a [JournalLine],
}

impl Group<'_> {
    /// Writes the next column of the schema, which must be of this type. A cell that is absent is null, where the schema has
    /// nulls, and an error where it has none.
    fn write<T: DataType>(&mut self, cell: impl Fn(&JournalLine) -> Option<T::T>) -> Written<()> {
        let cells: Vec<Option<T::T>> = self.lines.iter().map(cell).collect();
        let levels: Vec<i16> = cells.iter().map(|cell| i16::from(cell.is_some())).collect();
        let values: Vec<T::T> = cells.into_iter().flatten().collect();
        let Some(mut column) = self.rows.next_column()? else {
            return Err(ParquetError::General("the schema has no more columns".into()));
        };
        column.typed::<T>().write_batch(&values, Some(&levels), None)?;
        column.close()
    }
}

fn text(text: &str) -> ByteArray {
    text.into()
}

/// Days since 1970-01-01.
fn day(date: &Date) -> Option<i32> {
    wire::parse_date(date).ok().map(|date| date.to_epoch_days())
}

fn currency(one: Option<&Money>, other: Option<&Money>) -> Option<ByteArray> {
    one.or(other).map(|money| text(&money.currency_code))
}

fn amount(money: Option<&Money>) -> Option<FixedLenByteArray> {
    let money = money?;
    Some(decimal(i128::from(money.units) * UNIT + i128::from(money.nanos) / NANOS))
}

fn rate(rate: &str) -> Option<FixedLenByteArray> {
    let rate: Decimal = rate.parse().ok()?;
    let factor = 10_i128.pow(RATE_SCALE.checked_sub(rate.scale())?);
    rate.mantissa().checked_mul(factor).map(decimal)
}

/// The number without its point, as Parquet has it: two's complement, the highest byte first.
fn decimal(unscaled: i128) -> FixedLenByteArray {
    unscaled.to_be_bytes().to_vec().into()
}

#[cfg(test)]
mod tests {
    use parquet::{
        file::reader::{FileReader as _, SerializedFileReader},
        record::Field,
    };
    use prost::bytes::Bytes;
    use trato_types::{Currency, Minor};

    use super::*;

    /// XTR-05: what is posted in any currency, however much, is exact in the file, and so is a rate.
    #[test]
    fn amounts_and_rates_are_exact() {
        let most = 92_233_720_368_547_758_070_000_i128;
        for (code, minor, unscaled) in [("EUR", 5, 500), ("JPY", i64::MAX, most), ("CLF", 1, 1)] {
            let currency = Currency::parse(code).expect("a code");
            let money = wire::money(Minor(minor), currency);
            let written = amount(Some(&money)).expect("an amount");
            assert_eq!(written.data(), unscaled.to_be_bytes(), "{money:?}");
        }
        for (text, unscaled) in
            [("1", 1_000_000_000_000_i128), ("0.000000000001", 1), ("0.5", 500_000_000_000)]
        {
            assert_eq!(rate(text).expect("a rate").data(), unscaled.to_be_bytes(), "{text}");
        }
        assert!(rate("0.0000000000001").is_none(), "a digit would be lost");
    }

    /// XTR-05: a page without lines is a file that can be read, and a line that lacks what it must have is not written.
    #[test]
    fn a_file_is_whole_or_not_written() {
        let line = JournalLine {
            date: Some(Date { year: 2026, month: 2, day: 28 }),
            rate: "1".into(),
            ..Default::default()
        };
        let without_day = JournalLine { date: None, ..line.clone() };
        let rows = |lines: &[JournalLine]| {
            let file = Bytes::from(write(lines).expect("a file"));
            let reader = SerializedFileReader::new(file).expect("it can be read");
            reader.get_row_iter(None).expect("rows").collect::<Written<Vec<_>>>().expect("rows")
        };

        assert!(rows(&[]).is_empty());
        let rows = rows(std::slice::from_ref(&line));
        let cells: Vec<_> = rows[0].get_column_iter().map(|(_, cell)| cell.clone()).collect();
        assert_eq!(cells[2], Field::Date(20_512), "days since 1970");
        assert_eq!(cells[5], Field::Str(String::new()));
        assert_eq!(cells[8..15], [const { Field::Null }; 7]);
        assert!(write(&[line, without_day]).is_err());
    }
}
