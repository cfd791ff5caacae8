//! Writes an export with the dirt of real ones and totals that are known, so that a load can be tested without anybody's
//! data.
//!
//! One product is spelled two ways, a sector and a country are misspelled, most open opportunities have no account, no
//! value and no close date, some no date at all, lost ones have no reason, managers are not agents. One file begins with
//! a byte order mark and has CRLF.

mod names;

use std::{fmt::Write as _, fs, path::Path};

use anyhow::{Context as _, Result};
use chrono::{Days, NaiveDate};
use rand::{RngExt as _, SeedableRng as _, rngs::Xoshiro256PlusPlus, seq::SliceRandom as _};

use super::{
    export::{ACCOUNTS, PIPELINE, PRODUCTS, TEAMS},
    funnel::Totals,
};
use names::{Company, Seller};

/// A generated export.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Generated {
    /// Name and content of each file.
    pub files: Vec<(&'static str, String)>,
    /// What the funnel shows once all of it is loaded.
    pub totals: Totals,
}

/// Products with their series and price; the pipeline writes the third one without its blank.
const PRODUCTS_SOLD: [(&str, &str, u32); 5] = [
    ("Nova Basic", "Nova", 480),
    ("Nova Plus", "Nova", 1_150),
    ("Nova Pro", "Nova", 4_900),
    ("Terra One", "Terra", 65),
    ("Terra Max", "Terra", 24_500),
];

/// The product the pipeline misspells, and how.
const MISSPELLED: (&str, &str) = ("Nova Pro", "NovaPro");

/// An export of `rows` opportunities; the same seed gives the same one.
pub fn generate(rows: usize, seed: u64) -> Generated {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let companies = names::companies((rows / 20).clamp(12, 90), &mut random);
    let sellers = names::sellers();
    let mut totals = Totals::default();
    let pipeline = pipeline(rows, &companies, &sellers, &mut random, &mut totals);
    let files = vec![
        (ACCOUNTS, accounts(&companies)),
        (PRODUCTS, products()),
        (TEAMS, teams(&sellers)),
        (PIPELINE, format!("\u{feff}{}", pipeline.replace('\n', "\r\n"))),
    ];
    Generated { files, totals }
}

impl Generated {
    /// Writes the files into a folder, which is made if need be.
    pub fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        for (name, content) in &self.files {
            let path = folder.join(name);
            fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }
}

fn accounts(companies: &[Company]) -> String {
    let mut text =
        String::from("account,sector,year_established,revenue,employees,office_location,subsidiary_of\n");
    for company in companies {
        let Company { name, sector, year, revenue, employees, country, parent } = company;
        let _ = writeln!(text, "{name},{sector},{year},{revenue},{employees},{country},{parent}");
    }
    text
}

fn products() -> String {
    let mut text = String::from("product,series,sales_price\n");
    for (name, series, price) in PRODUCTS_SOLD {
        let _ = writeln!(text, "{name},{series},{price}");
    }
    text
}

fn teams(sellers: &[Seller]) -> String {
    let mut text = String::from("sales_agent,manager,regional_office\n");
    for Seller { name, manager, region } in sellers {
        let _ = writeln!(text, "{name},{manager},{region}");
    }
    text
}

fn pipeline(
    rows: usize,
    companies: &[Company],
    sellers: &[Seller],
    random: &mut Xoshiro256PlusPlus,
    totals: &mut Totals,
) -> String {
    let mut text = String::from(
        "opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value\n",
    );
    for (index, stage) in stages(rows, random).into_iter().enumerate() {
        // An odd factor gives every index another number.
        let id = format!("{:08X}", (index as u32).wrapping_mul(2_654_435_761));
        let seller = &sellers[random.random_range(0..sellers.len())].name;
        let (product, _, price) = PRODUCTS_SOLD[random.random_range(0..PRODUCTS_SOLD.len())];
        let product = if product == MISSPELLED.0 { MISSPELLED.1 } else { product };
        let open = matches!(stage, "Prospecting" | "Engaging");
        let company = &companies[random.random_range(0..companies.len())].name;
        let company = if open && random.random_ratio(7, 10) { "" } else { company };
        let engaged = FIRST_DAY + Days::new(random.random_range(0..430));
        let closed = engaged + Days::new(random.random_range(1..=138));
        let value = random.random_range(price * 8 / 10..=price * 12 / 10);
        totals.opportunities += 1;
        let dates = match stage {
            "Won" => {
                totals.won += 1;
                totals.won_amount += rust_decimal::Decimal::from(value);
                format!("{engaged},{closed},{value}")
            }
            "Lost" => {
                totals.lost += 1;
                format!("{engaged},{closed},0")
            }
            "Engaging" => {
                totals.engaging += 1;
                format!("{engaged},,")
            }
            _ => {
                totals.prospecting += 1;
                ",,".to_owned()
            }
        };
        let _ = writeln!(text, "{id},{seller},{product},{company},{stage},{dates}");
    }
    text
}

/// First day anything was engaged.
const FIRST_DAY: NaiveDate = match NaiveDate::from_ymd_opt(2016, 10, 20) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

/// About half are won, a quarter lost, a fifth engaging, the rest prospecting; in any order.
fn stages(rows: usize, random: &mut Xoshiro256PlusPlus) -> Vec<&'static str> {
    let (won, lost, engaging) = (rows * 48 / 100, rows * 28 / 100, rows * 18 / 100);
    let mut stages = vec!["Won"; won];
    stages.resize(won + lost, "Lost");
    stages.resize(won + lost + engaging, "Engaging");
    stages.resize(rows, "Prospecting");
    stages.shuffle(random);
    stages
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{Export, Mapping, questions};

    #[test]
    fn an_export_is_the_same_for_the_same_seed_and_only_then() {
        assert_eq!(generate(100, 7), generate(100, 7));
        assert_ne!(generate(100, 7).files, generate(100, 8).files);
    }

    #[test]
    fn the_totals_are_what_the_files_say_once_read_back() {
        let folder = tempfile::tempdir().expect("a folder");
        for (rows, seed) in [(800, 1), (800, 2), (23, 3)] {
            let generated = generate(rows, seed);
            generated.write(folder.path()).expect("it is written");

            let export = Export::read(folder.path()).expect("it is read");

            assert_eq!(export.unplaced, []);
            let mapping = Mapping::suggested(&questions(&export));
            assert_eq!(Totals::of_files(&export, &mapping), generated.totals);
            assert_eq!(generated.totals.opportunities, rows as u64);
        }
    }

    #[test]
    fn every_kind_of_dirt_is_there_and_has_a_suggestion() {
        let folder = tempfile::tempdir().expect("a folder");
        generate(800, 1).write(folder.path()).expect("it is written");
        let export = Export::read(folder.path()).expect("it is read");

        let asked = questions(&export);

        for (value, target) in [("NovaPro", "Nova Pro"), ("technolgy", "technology"), ("Philipines", "PH")] {
            let question = asked.iter().find(|question| question.value == value);
            assert_eq!(question.and_then(|question| question.target.as_deref()), Some(target), "{value}");
        }
        assert!(Mapping::suggested(&asked).open(&asked).is_empty(), "{asked:?}");
        let open = export.opportunities.iter().filter(|row| row.close_date.is_none());
        assert!(
            open.clone().any(|row| row.account.is_empty()) && open.clone().any(|row| !row.account.is_empty())
        );
        assert!(
            open.clone().any(|row| row.engage_date.is_none())
                && open.clone().all(|row| row.close_value.is_none())
        );
        assert!(export.accounts.iter().any(|row| !row.parent.is_empty()));
        assert!(export.agents.iter().all(|row| export.agents.iter().all(|agent| agent.name != row.manager)));
    }
}
