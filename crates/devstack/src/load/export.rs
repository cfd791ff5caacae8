//! The four files of an export, as rows with types; what the values mean is decided later.

use std::{collections::HashMap, path::Path};

use anyhow::{Result, bail};
use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{
    money,
    report::Unplaced,
    table::{Row, Table},
};

/// File of the accounts.
pub const ACCOUNTS: &str = "accounts.csv";
/// File of the products.
pub const PRODUCTS: &str = "products.csv";
/// File of the agents with their managers.
pub const TEAMS: &str = "sales_teams.csv";
/// File of the opportunities.
pub const PIPELINE: &str = "sales_pipeline.csv";

/// Everything an export holds, as it was written.
#[derive(Debug, Default)]
pub struct Export {
    /// Rows of `accounts.csv`.
    pub accounts: Vec<AccountRow>,
    /// Rows of `products.csv`.
    pub products: Vec<ProductRow>,
    /// Rows of `sales_teams.csv`.
    pub agents: Vec<AgentRow>,
    /// Rows of `sales_pipeline.csv`.
    pub opportunities: Vec<OpportunityRow>,
    /// Rows that could not be read, and second rows of one key.
    pub unplaced: Vec<Unplaced>,
}

/// A company.
#[derive(Debug)]
pub struct AccountRow {
    pub line: u64,
    pub name: String,
    pub sector: String,
    pub founding_year: Option<i32>,
    /// In millions of USD.
    pub revenue: Option<Decimal>,
    pub employees: Option<i32>,
    pub country: String,
    /// Name of another row; empty for none.
    pub parent: String,
}

/// A product.
#[derive(Debug)]
pub struct ProductRow {
    pub line: u64,
    pub name: String,
    pub series: String,
    pub price: Option<Decimal>,
}

/// A seller, the manager and the office of both.
#[derive(Debug)]
pub struct AgentRow {
    pub line: u64,
    pub name: String,
    pub manager: String,
    pub region: String,
}

/// An opportunity.
#[derive(Debug)]
pub struct OpportunityRow {
    pub line: u64,
    pub id: String,
    pub agent: String,
    pub product: String,
    /// Empty where the export does not know it.
    pub account: String,
    pub stage: String,
    pub engage_date: Option<NaiveDate>,
    pub close_date: Option<NaiveDate>,
    pub close_value: Option<Decimal>,
}

impl Export {
    /// Reads the files of a folder. Files and columns that are missing are all named at once.
    pub fn read(folder: &Path) -> Result<Self> {
        let read = |file: &str, columns: &[&str]| Table::read(&folder.join(file), columns);
        let accounts = [
            "account",
            "sector",
            "year_established",
            "revenue",
            "employees",
            "office_location",
            "subsidiary_of",
        ];
        let teams = ["sales_agent", "manager", "regional_office"];
        let pipeline = [
            "opportunity_id",
            "sales_agent",
            "product",
            "account",
            "deal_stage",
            "engage_date",
            "close_date",
            "close_value",
        ];
        let tables = (
            read(ACCOUNTS, &accounts),
            read(PRODUCTS, &["product", "series", "sales_price"]),
            read(TEAMS, &teams),
            read(PIPELINE, &pipeline),
        );
        let (accounts, products, teams, pipeline) = match tables {
            (Ok(accounts), Ok(products), Ok(teams), Ok(pipeline)) => (accounts, products, teams, pipeline),
            (accounts, products, teams, pipeline) => {
                let faults = [accounts.err(), products.err(), teams.err(), pipeline.err()];
                let faults: Vec<String> =
                    faults.into_iter().flatten().map(|fault| format!("{fault:#}")).collect();
                bail!("{} is not an export that can be read: {}", folder.display(), faults.join("; "));
            }
        };
        let mut export = Self::default();
        export.accounts = export.rows(accounts, account);
        export.products = export.rows(products, product);
        export.agents = export.rows(teams, agent);
        export.opportunities = export.rows(pipeline, opportunity);
        Ok(export)
    }

    /// Types the rows of a table; what cannot be typed, or has the key of an earlier row, is set aside.
    fn rows<T>(&mut self, table: Table, typed: fn(&Row) -> Result<T, String>) -> Vec<T> {
        self.unplaced.extend(table.unreadable);
        let mut lines: HashMap<String, u64> = HashMap::new();
        let mut rows = Vec::new();
        for row in table.rows {
            let key = row.cells[0].clone();
            let checked = match lines.get(&key) {
                _ if key.is_empty() => Err("has nothing in its first column, which names it".to_owned()),
                Some(line) => Err(format!("is the same as line {line}")),
                None => typed(&row),
            };
            match checked {
                Ok(typed) => {
                    lines.insert(key, row.line);
                    rows.push(typed);
                }
                Err(reason) => self.unplaced.push(Unplaced::new(&table.file, row.line, key, reason)),
            }
        }
        rows
    }
}

fn account(row: &Row) -> Result<AccountRow, String> {
    Ok(AccountRow {
        line: row.line,
        name: row.cells[0].clone(),
        sector: row.cells[1].clone(),
        founding_year: number(&row.cells[2], "year_established")?,
        revenue: amount(&row.cells[3], "revenue")?,
        employees: number(&row.cells[4], "employees")?,
        country: row.cells[5].clone(),
        parent: row.cells[6].clone(),
    })
}

fn product(row: &Row) -> Result<ProductRow, String> {
    Ok(ProductRow {
        line: row.line,
        name: row.cells[0].clone(),
        series: row.cells[1].clone(),
        price: amount(&row.cells[2], "sales_price")?,
    })
}

fn agent(row: &Row) -> Result<AgentRow, String> {
    let [name, manager, region] = [0, 1, 2].map(|cell| row.cells[cell].clone());
    Ok(AgentRow { line: row.line, name, manager, region })
}

fn opportunity(row: &Row) -> Result<OpportunityRow, String> {
    let [id, agent, product, account, stage] = [0, 1, 2, 3, 4].map(|cell| row.cells[cell].clone());
    Ok(OpportunityRow {
        line: row.line,
        id,
        agent,
        product,
        account,
        stage,
        engage_date: date(&row.cells[5], "engage_date")?,
        close_date: date(&row.cells[6], "close_date")?,
        close_value: amount(&row.cells[7], "close_value")?,
    })
}

fn number(text: &str, column: &str) -> Result<Option<i32>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| format!("{column}: `{text}` is not a whole number"))
}

fn amount(text: &str, column: &str) -> Result<Option<Decimal>, String> {
    money::parse(text).map_err(|reason| format!("{column}: {reason}"))
}

fn date(text: &str, column: &str) -> Result<Option<NaiveDate>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d");
    date.map(Some).map_err(|_| format!("{column}: `{text}` is not a date such as 2017-03-01"))
}
