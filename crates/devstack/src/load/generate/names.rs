//! Invented companies and people.

use rand::{RngExt as _, rngs::Xoshiro256PlusPlus, seq::SliceRandom as _};

/// A row of `accounts.csv`.
#[derive(Debug)]
pub struct Company {
    pub name: String,
    pub sector: &'static str,
    pub year: u32,
    /// Millions with up to two decimals.
    pub revenue: String,
    pub employees: u32,
    pub country: &'static str,
    pub parent: String,
}

/// A row of `sales_teams.csv`.
#[derive(Debug)]
pub struct Seller {
    pub name: &'static str,
    pub manager: &'static str,
    pub region: &'static str,
}

const HEADS: [&str; 10] = ["Alta", "Bora", "Cima", "Duna", "Estra", "Fira", "Grana", "Luma", "Mira", "Ona"];
const TAILS: [&str; 10] = ["lux", "tec", "vida", "nova", "corp", "zon", "plex", "nium", "-holding", " & Co"];

/// The third is misspelled, as the export always writes it.
const SECTORS: [&str; 6] = ["retail", "medical", "technolgy", "finance", "software", "services"];

/// Most have the first; the second is misspelled, the third means one of two.
const COUNTRIES: [&str; 6] = ["United States", "Philipines", "Korea", "Germany", "Brazil", "Japan"];

/// `count` companies of different names, at most 100; every seventh belongs to an earlier one.
pub fn companies(count: usize, random: &mut Xoshiro256PlusPlus) -> Vec<Company> {
    let mut names: Vec<String> =
        HEADS.iter().flat_map(|head| TAILS.iter().map(move |tail| format!("{head}{tail}"))).collect();
    names.shuffle(random);
    names.truncate(count);
    let mut companies: Vec<Company> = Vec::new();
    for (index, name) in names.into_iter().enumerate() {
        let subsidiary = index % 7 == 6;
        let parent =
            if subsidiary { companies[random.random_range(0..index)].name.clone() } else { String::new() };
        let country = if index % 4 == 1 { COUNTRIES[index / 4 % 5 + 1] } else { COUNTRIES[0] };
        companies.push(Company {
            name,
            sector: SECTORS[index % SECTORS.len()],
            year: random.random_range(1979..=2017),
            revenue: format!("{}.{}", random.random_range(4..9_000), random.random_range(1..100)),
            employees: random.random_range(9..30_000),
            country,
            parent,
        });
    }
    // A child may stand before its parent.
    companies.reverse();
    companies
}

/// Sellers of four teams in three offices. No manager sells.
pub fn sellers() -> Vec<Seller> {
    let seller = |name, manager, region| Seller { name, manager, region };
    vec![
        seller("Ada Lindqvist", "Marta Rey", "North"),
        seller("Bruno Castellano", "Marta Rey", "North"),
        seller("Carla Mei-Ling", "Marta Rey", "North"),
        seller("David Okafor", "Marta Rey", "North"),
        seller("Elena Núñez", "Piet van Dam", "South"),
        seller("Farid Haddad", "Piet van Dam", "South"),
        seller("Greta Sommer", "Piet van Dam", "South"),
        seller("Hugo Ferreira", "Piet van Dam", "South"),
        seller("Ines Duarte", "Ruth Abara", "South"),
        seller("Jonas Beck", "Ruth Abara", "South"),
        seller("Kaya Demir", "Ruth Abara", "South"),
        seller("Liam O'Connor", "Sven Halvorsen", "East"),
        seller("Mina Sato", "Sven Halvorsen", "East"),
        seller("Nils Berg", "Sven Halvorsen", "East"),
    ]
}
