//! How the part of the catalogue that a document needs is found: a statement for each kind of thing, none for each line.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rust_decimal::Decimal;
use sqlx::{Row as _, postgres::PgRow, types::Json};
use trato_platform::db::{Columns as _, Database, Tx, from_sqlx};
use trato_pricing::{ListPrice, Period, Quantity, UnitPrice};
use trato_types::{Context, Currency, Error, Id, Kind, Minor, Ref, Result};
use uuid::Uuid;

use super::{
    catalogue::{Catalogue, Good},
    model::Question,
};
use crate::{
    price_list::PriceList,
    product::{Component, Link, OptionGroups, Product},
    promotion::Promotion,
    tax_code,
};

/// Most price lists a document asks.
const MAX_PRICE_LISTS: usize = 200;
/// Most promotions a document is tried with.
const MAX_PROMOTIONS: usize = 500;
/// Most tries of a promotion on a line.
const MAX_TRIES: usize = 50_000;
/// Most prices that are read for a document.
const MAX_PRICES: usize = 50_000;
/// Most links within a bundle.
const MAX_LINKS: usize = 10_000;

/// Finds what a document needs, as it is at one moment of each statement, in the transaction that writes it: it is priced by what is
/// there.
pub async fn find_in(tx: &mut Tx, question: &Question) -> Result<Catalogue> {
    let lists = find_price_lists(tx, question).await?;
    let promotions = find_promotions(tx, question).await?;
    let gifts: BTreeSet<Uuid> = promotions.iter().filter_map(|(_, one)| one.effect.gift()).collect();
    let bought = question.bought();
    let products: Vec<Uuid> =
        bought.keys().chain(&gifts).copied().collect::<BTreeSet<_>>().into_iter().collect();
    let goods = find_products(tx, &products).await?;
    let prices = find_prices(tx, &lists, &bought, &gifts).await?;
    let taxes = find_taxes(tx, question, &goods).await?;
    Ok(Catalogue { lists, prices, promotions, goods, taxes })
}

/// The products of a bundle and everything within it, with the links between them. NOT_FOUND for a product that is not
/// there or deleted; FAILED_PRECONDITION `NO_BUNDLE` and `BUNDLE_TOO_LARGE`.
pub async fn find_bundle(
    database: &Database,
    cx: &Context,
    bundle: Id<Product>,
) -> Result<(Vec<Link>, HashMap<Uuid, Good>)> {
    let mut tx = Tx::begin(&database.pool, cx).await?;
    let links = find_links(&mut tx, bundle).await?;
    let products: BTreeSet<Uuid> =
        links.iter().map(|link| link.component.product).chain([bundle.uuid()]).collect();
    let goods = find_products(&mut tx, &products.into_iter().collect::<Vec<_>>()).await?;
    tx.roll_back().await?;
    if goods.get(&bundle.uuid()).is_none_or(|good| good.is_deleted) {
        return Err(Error::not_found(bundle.name()));
    }
    if links.is_empty() {
        let message = format!("{} has no components", bundle.name());
        return Err(Error::new(Kind::Precondition, "NO_BUNDLE", message).about(bundle.name()));
    }
    too_many(links.len(), MAX_LINKS, "BUNDLE_TOO_LARGE", "components are within one another")?;
    Ok((links, goods))
}

/// What a document must know of one product; NOT_FOUND when it is not there or deleted.
pub async fn find_product(database: &Database, cx: &Context, product: Id<Product>) -> Result<Good> {
    let mut tx = Tx::begin(&database.pool, cx).await?;
    let mut goods = find_products(&mut tx, &[product.uuid()]).await?;
    tx.roll_back().await?;
    let good = goods.remove(&product.uuid()).filter(|good| !good.is_deleted);
    good.ok_or_else(|| Error::not_found(product.name()))
}

async fn find_price_lists(tx: &mut Tx, question: &Question) -> Result<Vec<(Uuid, PriceList)>> {
    let tenant = tx.cx().tenant;
    let rows = sqlx::query(include_str!("../../sql/find_price_lists.sql"))
        .bind(tenant)
        .bind(question.currency.code())
        .bind(question.date)
        .bind(question.account.map(Ref::uuid))
        .bind(question.segment.as_deref())
        .bind(question.channel.as_deref())
        .bind(one_more(MAX_PRICE_LISTS))
        .bind(question.price_list.map(Id::uuid))
        .fetch_all(tx.connection())
        .await
        .map_err(from_sqlx)?;
    too_many(rows.len(), MAX_PRICE_LISTS, "TOO_MANY_PRICE_LISTS", "price lists hold for the one who asks")?;
    let lists = rows.iter().map(|row| Ok((row.try_get(0).map_err(from_sqlx)?, PriceList::read(row, 2)?)));
    let lists: Vec<(Uuid, PriceList)> = lists.collect::<Result<_>>()?;
    if let Some(named) = question.price_list {
        let (Some((_, list)), Some(row)) = (lists.first(), rows.first()) else {
            return Err(Error::not_found(named.name()));
        };
        let is_deleted = row.try_get(1).map_err(from_sqlx)?;
        question.require_suited(list, is_deleted, question.inclusion(&lists))?;
    }
    Ok(lists)
}

async fn find_promotions(tx: &mut Tx, question: &Question) -> Result<Vec<(Uuid, Promotion)>> {
    let tenant = tx.cx().tenant;
    let coupons: Vec<&str> = question.coupons.iter().map(AsRef::as_ref).collect();
    let rows = sqlx::query(include_str!("../../sql/find_promotions.sql"))
        .bind(tenant)
        .bind(question.currency.code())
        .bind(question.date)
        .bind(question.account.map(|account| account.uuid().to_string()))
        .bind(question.segment.as_deref())
        .bind(question.channel.as_deref())
        .bind(coupons)
        .bind(one_more(MAX_PROMOTIONS))
        .fetch_all(tx.connection())
        .await
        .map_err(from_sqlx)?;
    too_many(rows.len(), MAX_PROMOTIONS, "TOO_MANY_PROMOTIONS", "promotions hold on the day")?;
    let tries = rows.len().saturating_mul(question.lines.len());
    too_many(tries, MAX_TRIES, "TOO_MANY_PROMOTIONS", "promotions would be tried on lines")?;
    let read = |row: &PgRow| Ok((row.try_get(0).map_err(from_sqlx)?, Promotion::read(row, 1)?));
    rows.iter().map(read).collect()
}

async fn find_products(tx: &mut Tx, ids: &[Uuid]) -> Result<HashMap<Uuid, Good>> {
    let tenant = tx.cx().tenant;
    let rows = sqlx::query(include_str!("../../sql/find_products.sql"))
        .bind(tenant)
        .bind(ids)
        .fetch_all(tx.connection())
        .await
        .map_err(from_sqlx)?;
    let read = |row: &PgRow| {
        let amount = |at: usize| -> Result<Option<(Minor, Currency)>> {
            let (amount, currency): (Option<i64>, Option<&str>) =
                (row.try_get(at).map_err(from_sqlx)?, row.try_get(at + 1).map_err(from_sqlx)?);
            let currency = currency.map(Currency::parse).transpose().map_err(Error::internal)?;
            Ok(amount.map(Minor).zip(currency))
        };
        let good = Good {
            is_deleted: row.try_get(1).map_err(from_sqlx)?,
            sellable: row.try_get(2).map_err(from_sqlx)?,
            sold: Period {
                from: row.try_get(3).map_err(from_sqlx)?,
                until: row.try_get(4).map_err(from_sqlx)?,
            },
            tax_class: row.try_get(5).map_err(from_sqlx)?,
            unit_code: row.try_get(6).map_err(from_sqlx)?,
            list_price: amount(7)?,
            options: row.try_get::<Json<OptionGroups>, _>(9).map_err(from_sqlx)?.0,
            display_name: row.try_get(10).map_err(from_sqlx)?,
            cost: amount(11)?,
        };
        Ok((row.try_get(0).map_err(from_sqlx)?, good))
    };
    rows.iter().map(read).collect()
}

async fn find_prices(
    tx: &mut Tx,
    lists: &[(Uuid, PriceList)],
    bought: &BTreeMap<Uuid, Quantity>,
    gifts: &BTreeSet<Uuid>,
) -> Result<HashMap<Uuid, Vec<ListPrice>>> {
    let tenant = tx.cx().tenant;
    let rows = sqlx::query(include_str!("../../sql/find_prices.sql"))
        .bind(tenant)
        .bind(lists.iter().map(|(id, _)| *id).collect::<Vec<Uuid>>())
        .bind(bought.keys().copied().collect::<Vec<Uuid>>())
        .bind(bought.values().copied().map(Decimal::from).collect::<Vec<Decimal>>())
        .bind(gifts.iter().copied().collect::<Vec<Uuid>>())
        .bind(one_more(MAX_PRICES))
        .fetch_all(tx.connection())
        .await
        .map_err(from_sqlx)?;
    too_many(rows.len(), MAX_PRICES, "TOO_MANY_PRICES", "prices of the products would have to be compared")?;
    let mut prices: HashMap<Uuid, Vec<ListPrice>> = HashMap::new();
    for row in &rows {
        let number = |at: usize| row.try_get::<Decimal, _>(at).map_err(from_sqlx);
        let quantity = |at| Quantity::try_from(number(at)?).map_err(Error::internal);
        let product: Uuid = row.try_get(1).map_err(from_sqlx)?;
        let price = ListPrice {
            product: Id::<Product>::from_uuid(product).name().into(),
            min_quantity: quantity(2)?,
            unit_price: UnitPrice::try_from(number(3)?).map_err(Error::internal)?,
            per: quantity(4)?,
        };
        prices.entry(row.try_get(0).map_err(from_sqlx)?).or_default().push(price);
    }
    Ok(prices)
}

async fn find_taxes(
    tx: &mut Tx,
    question: &Question,
    goods: &HashMap<Uuid, Good>,
) -> Result<HashMap<String, tax_code::TaxCode>> {
    let of_lines = question.lines.iter().map(|line| &line.tax_class);
    let of_charges = question.charges.iter().map(|charge| &charge.tax_class);
    let of_goods = goods.values().map(|good| &good.tax_class);
    let withheld = question.lines.iter().flat_map(|line| &line.withheld_tax_classes);
    let withheld = withheld.chain(question.charges.iter().flat_map(|charge| &charge.withheld_tax_classes));
    let all = of_lines.chain(of_charges).chain(of_goods).chain(withheld);
    let codes: BTreeSet<&str> = all.map(String::as_str).filter(|code| !code.is_empty()).collect();
    let found = tax_code::store::find(tx, &codes.into_iter().collect::<Vec<_>>()).await?;
    Ok(found.into_iter().map(|tax| (tax.code.clone(), tax)).collect())
}

async fn find_links(tx: &mut Tx, bundle: Id<Product>) -> Result<Vec<Link>> {
    let tenant = tx.cx().tenant;
    let rows = sqlx::query(include_str!("../../sql/find_components.sql"))
        .bind(tenant)
        .bind(bundle.uuid())
        .bind(one_more(MAX_LINKS))
        .fetch_all(tx.connection())
        .await
        .map_err(from_sqlx)?;
    let read = |row: &PgRow| {
        let factor: Decimal = row.try_get(2).map_err(from_sqlx)?;
        Ok(Link {
            bundle: row.try_get(0).map_err(from_sqlx)?,
            component: Component {
                product: row.try_get(1).map_err(from_sqlx)?,
                factor: Quantity::try_from(factor).map_err(Error::internal)?,
            },
        })
    };
    rows.iter().map(read).collect()
}

/// How many rows to read so that too many can be told from as many as are allowed.
fn one_more(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1)
}

fn too_many(count: usize, most: usize, reason: &'static str, what: &str) -> Result<()> {
    if count > most {
        let message = format!("more than {most} {what}");
        return Err(Error::new(Kind::Precondition, reason, message).with("most", most));
    }
    Ok(())
}
