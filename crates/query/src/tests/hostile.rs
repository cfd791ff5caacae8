//! Texts of attackers (row I7 of the table of faults) end as INVALID or as bound values, never as SQL.

use proptest::prelude::*;
use trato_types::Kind;

use super::{model::quoted, request};
use crate::{Filter, Fragment, Listing, ListingRequest, Value, tests::SETS};

/// What sends others' databases astray: quotes in many alphabets, comments, stacked statements, casts, placeholders,
/// functions, control characters, and the grammar's own characters where they do not belong.
const CORPUS: &[&str] = &[
    "'",
    "''",
    "\"",
    "`",
    "´",
    "\\",
    "\\'",
    "%27",
    "%00",
    "\u{0}",
    "'--",
    "' --",
    "'#",
    "'/*",
    "*/",
    ";",
    ";--",
    "';",
    "\";",
    "1;select 1",
    "' or '1'='1",
    "' or 1=1--",
    "\" or \"\"=\"",
    "') or ('1'='1",
    "' or ''='",
    "or 1=1",
    "OR 1=1",
    "AND 1=1",
    "1 or 1=1",
    "1' or '1'='1'/*",
    "admin'--",
    "' union select null--",
    "' UNION ALL SELECT NULL,NULL--",
    "union select usename from pg_user",
    "'; drop table opportunity; --",
    "'; delete from account where true; --",
    "'; update member set owner = 'me'; --",
    "'; select pg_sleep(10); --",
    "' || pg_sleep(10) || '",
    "pg_sleep(10)",
    "1; select set_config('trato.tenant_id', 'x', true)",
    "current_setting('trato.tenant_id')",
    "$1",
    "$2",
    "$$",
    "$$;$$",
    "$tag$ x $tag$",
    "?",
    ":name",
    "::text",
    "1::int",
    "cast(1 as text)",
    "(select 1)",
    "(select count(*) from account)",
    "exists (select 1)",
    "case when 1=1 then 1 else 1/0 end",
    "1/0",
    "chr(39)",
    "e'\\x27'",
    "E'\\047'",
    "U&'\\0027'",
    "0x27",
    "x'27'",
    "\u{2018}",
    "\u{2019} or 1=1--",
    "\u{201c}",
    "\u{02bc}",
    "\u{ff07}",
    "\u{ff07} or 1=1--",
    "\u{2032}",
    "\u{fe69}",
    "\u{037e}",
    "a\u{300}'",
    "\u{202e}' --",
    "\u{feff}'",
    "\u{200b}'",
    "\u{1}",
    "\u{7f}",
    "\r\n",
    "\n--",
    "\t;",
    "--",
    "-- ",
    "---",
    "/**/",
    "/*!50000 select*/",
    "/*' or 1=1*/",
    "t.id",
    "t.*",
    "tenant_id",
    "t.tenant_id = t.tenant_id",
    "id",
    "ctid",
    "xmin",
    "tenant_id is not null",
    "tenant_id != ''",
    "like '%'",
    "ilike '%'",
    "~ '.*'",
    "similar to '%'",
    "between 1 and 2",
    "in (1,2)",
    "any('{}')",
    "array[1]",
    "null",
    "is null",
    "not null",
    "true",
    "false",
    "infinity",
    "NaN",
    "-1",
    "1e309",
    "{\"$gt\":\"\"}",
    "[$ne]=1",
    "${jndi:ldap://x}",
    "{{7*7}}",
    "<script>",
    "../../etc/passwd",
    "\\copy",
    "\\!",
    "id;",
    "id desc",
    "id desc; --",
    "display_name desc nulls first",
    "display_name collate \"x\"",
    "display_name, (select 1)",
    "display_name limit 0",
    "random()",
    "1",
    "1,2",
    "(display_name)",
    "\"display_name\"",
    "display_name\u{0}",
    "amount desc--",
    "amount/**/desc",
];

/// Fails unless the text consists of declared columns, placeholders and the operators of this crate.
fn assert_harmless(sql: &str) {
    const WORDS: &[&str] = &[
        "and", "or", "is", "not", "null", "distinct", "from", "collate", "\"C\"", "true", "false", "strpos",
        "desc", "nulls", "last", "=", "<>", "<", "<=", ">", ">=", "0", "", "t.id",
    ];
    let is_column = |word: &str| {
        let columns =
            SETS.iter().flat_map(|set| set.iter()).map(|field| format!("t.{}", field.column_name()));
        columns.into_iter().any(|column| column == word)
    };
    let is_place = |word: &str| word.strip_prefix('$').is_some_and(|digits| digits.parse::<u16>().is_ok());
    for word in sql.split([' ', '(', ')', ',']) {
        assert!(WORDS.contains(&word) || is_column(word) || is_place(word), "{word:?} in {sql:?}");
    }
}

/// A filter that may be refused, but not become anything else than harmless SQL.
fn judge(filter: &str) -> Option<Fragment> {
    match Filter::parse(SETS, filter) {
        Ok(filter) => {
            let fragment = filter.condition("t", 1);
            assert_harmless(&fragment.sql);
            assert_eq!(fragment.sql.matches('$').count(), fragment.values.len());
            let has_nul = |value: &Value| matches!(value, Value::Text(text) if text.contains('\0'));
            assert!(!fragment.values.iter().any(has_nul));
            Some(fragment)
        }
        Err(error) => {
            assert_eq!(error.kind(), Kind::Invalid, "{filter:?}");
            None
        }
    }
}

#[test]
fn hostile_texts_as_filters_are_refused_or_bound() {
    for text in CORPUS {
        judge(text);
        for field in
            ["display_name", "state", "amount", "close_date", "create_time", "account", "owner", "sellable"]
        {
            judge(&format!("{field} = {text}"));
            judge(&format!("{field} = '{text}'"));
            judge(&format!("{field} : \"{text}\""));
            judge(&format!("{field}{text} = 1"));
            judge(&format!("amount = 1 {text} state = OPEN"));
        }
    }
}

#[test]
fn a_hostile_literal_in_quotes_is_one_bound_value() {
    for text in CORPUS.iter().filter(|text| !text.contains('\0')) {
        let fragment = judge(&format!("display_name = {}", quoted(text, false)));
        let expected =
            Fragment { sql: "t.display_name = $1".into(), values: vec![Value::Text((*text).to_owned())] };
        assert_eq!(fragment, Some(expected), "{text:?}");
    }
}

#[test]
fn hostile_texts_are_no_orders_and_no_tokens() {
    for text in CORPUS {
        for order_by in [
            (*text).to_owned(),
            format!("amount {text}"),
            format!("amount, {text}"),
            format!("{text}, amount"),
        ] {
            let error = Listing::parse(&ListingRequest { order_by: &order_by, ..request() });
            match error {
                Ok(listing) => assert_harmless(&listing.order_sql("t")),
                Err(error) => assert_eq!(error.kind(), Kind::Invalid, "{order_by:?}"),
            }
        }
        let error = Listing::parse(&ListingRequest { page_token: text, ..request() }).expect_err("no token");
        assert_eq!(error.reason(), "INVALID_PAGE_TOKEN", "{text:?}");
    }
}

proptest! {
    #[test]
    fn no_filter_and_no_order_becomes_other_sql(text in any::<String>(), name in "[a-z_.]{1,12}") {
        for filter in [text.clone(), format!("display_name = {text}"), format!("display_name : \"{text}\""), format!("{name} = 1")] {
            judge(&filter);
        }
        if let Ok(listing) = Listing::parse(&ListingRequest { order_by: &text, ..request() }) {
            assert_harmless(&listing.order_sql("t"));
        }
    }
}
