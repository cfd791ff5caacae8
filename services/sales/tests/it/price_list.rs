//! Price lists: for whom prices are, in which currency, and when.

use tonic::{Code, Response, Status};
use trato_proto::sales::v1::{
    Audience, CreatePriceListRequest, DeletePriceListRequest, ListPriceListsRequest, PriceList,
    UndeletePriceListRequest, UpdatePriceListRequest, price_list::Prices,
};
use uuid::Uuid;

use crate::harness::{Sales, date, field, paths, refusal, violations};

impl Sales {
    pub async fn create_price_list(&self, price_list: PriceList) -> Result<PriceList, Status> {
        let request = CreatePriceListRequest { price_list: Some(price_list), ..Default::default() };
        self.price_lists().create_price_list(self.admin.request(request)).await.map(Response::into_inner)
    }

    /// A price list in euros for everybody.
    pub async fn price_list(&self, display_name: &str) -> PriceList {
        self.create_price_list(euro_list(display_name)).await.expect("a price list")
    }

    pub async fn delete_price_list(&self, name: &str) -> Result<PriceList, Status> {
        let request = DeletePriceListRequest { name: name.into(), ..Default::default() };
        self.price_lists().delete_price_list(self.admin.request(request)).await.map(Response::into_inner)
    }
}

/// A price list in euros for everybody.
pub fn euro_list(display_name: &str) -> PriceList {
    PriceList { display_name: display_name.into(), currency_code: "EUR".into(), ..Default::default() }
}

/// MDM-07: a price list has a currency, a validity and an audience, and says whether its prices include taxes.
#[tokio::test]
async fn a_price_list_is_kept_as_it_was_given() {
    let sales = Sales::start().await;
    let given = PriceList {
        prices: Prices::TaxInclusive.into(),
        start_date: date(2026, 1, 1),
        end_date: date(2026, 12, 31),
        audience: Some(Audience {
            accounts: vec![format!("accounts/{}", Uuid::now_v7())],
            segments: vec!["Industry".into()],
            channels: vec!["portal".into(), "phone".into()],
        }),
        priority: -7,
        ..euro_list("Portal 2026")
    };

    let created = sales.create_price_list(given.clone()).await.expect("a price list");

    let expected = PriceList {
        name: created.name.clone(),
        create_time: created.create_time,
        update_time: created.update_time,
        creator: created.creator.clone(),
        etag: created.etag.clone(),
        ..given
    };
    assert_eq!(created, expected);
    assert_eq!(sales.price_list("Plain").await.prices(), Prices::Net, "without taxes unless it is said");
    let filter =
        "currency_code = EUR AND prices = TAX_INCLUSIVE AND priority < 0 AND end_date > \"2026-06-01\"";
    let request = ListPriceListsRequest { filter: filter.into(), ..Default::default() };
    let page = sales.price_lists().list_price_lists(sales.admin.request(request)).await.expect("a page");
    assert_eq!(page.into_inner().price_lists, [created]);
    assert_eq!(sales.event_types().await, ["price_list.created"; 2]);
}

#[tokio::test]
async fn all_that_is_wrong_with_a_price_list_is_said_at_once() {
    let sales = Sales::start().await;
    let account = format!("accounts/{}", Uuid::now_v7());

    let answer = sales
        .create_price_list(PriceList {
            currency_code: "ABC".into(),
            prices: 9,
            start_date: date(2026, 2, 2),
            end_date: date(2026, 2, 1),
            audience: Some(Audience {
                accounts: vec![account.clone(), "acme".into(), account],
                segments: vec!["a".into(), " ".into(), "x".repeat(101)],
                channels: (0..101).map(|number| number.to_string()).collect(),
            }),
            priority: 1_001,
            is_default: true,
            ..Default::default()
        })
        .await;

    let expected = [
        field("price_list.audience.accounts[1]", "INVALID_RESOURCE_NAME"),
        field("price_list.audience.accounts[2]", "DUPLICATE"),
        field("price_list.audience.channels", "TOO_MANY"),
        field("price_list.audience.segments[1]", "REQUIRED"),
        field("price_list.audience.segments[2]", "TOO_LONG"),
        field("price_list.currency_code", "UNKNOWN_CURRENCY"),
        field("price_list.display_name", "REQUIRED"),
        field("price_list.end_date", "END_BEFORE_START"),
        field("price_list.prices", "UNKNOWN_VALUE"),
        field("price_list.priority", "OUT_OF_RANGE"),
    ];
    assert_eq!(violations(answer), expected);

    let for_some = PriceList {
        audience: Some(Audience { channels: vec!["portal".into()], ..Default::default() }),
        is_default: true,
        ..euro_list("Portal")
    };
    let answer = sales.create_price_list(for_some).await;
    assert_eq!(violations(answer), [field("price_list.is_default", "DEFAULT_NOT_FOR_ALL")]);
}

/// MDM-07: of each currency one living list at most is the default, by constraint.
#[tokio::test]
async fn one_living_list_of_a_currency_is_its_default() {
    let sales = Sales::start().await;
    let default = |display_name: &str, currency: &str| PriceList {
        is_default: true,
        currency_code: currency.into(),
        ..euro_list(display_name)
    };
    let first = sales.create_price_list(default("Euro", "EUR")).await.expect("the first");
    sales.create_price_list(default("Dollar", "USD")).await.expect("of another currency");

    let taken = (Code::AlreadyExists, "DEFAULT_TAKEN".to_owned());
    assert_eq!(refusal(sales.create_price_list(default("Euro 2", "EUR")).await), taken);
    sales.delete_price_list(&first.name).await.expect("deleted");
    sales.create_price_list(default("Euro 2", "EUR")).await.expect("a deleted list is no default");
    let undelete = UndeletePriceListRequest { name: first.name, ..Default::default() };
    assert_eq!(refusal(sales.price_lists().undelete_price_list(sales.admin.request(undelete)).await), taken);
    assert_eq!(
        refusal(sales.create_price_list(euro_list("Dollar")).await),
        (Code::AlreadyExists, "PRICE_LIST_NAME_TAKEN".to_owned())
    );
}

#[tokio::test]
async fn the_currency_of_a_list_stays_and_all_else_can_change() {
    let sales = Sales::start().await;
    let list = sales.price_list("Standard").await;
    let change = |price_list: PriceList, mask: &[&str]| {
        let update_mask = Some(paths(mask));
        let price_list = Some(PriceList { name: list.name.clone(), ..price_list });
        let request = UpdatePriceListRequest { price_list, update_mask, ..Default::default() };
        let request = sales.admin.request(request);
        async { sales.price_lists().update_price_list(request).await.map(Response::into_inner) }
    };

    let dollars = PriceList { currency_code: "USD".into(), ..Default::default() };
    let answer = change(dollars, &["currency_code"]).await;
    assert_eq!(violations(answer), [field("price_list.currency_code", "IMMUTABLE")]);

    let portal = Audience { channels: vec!["portal".into()], ..Default::default() };
    let narrow = PriceList { audience: Some(portal.clone()), priority: 3, ..Default::default() };
    let narrowed = change(narrow, &["audience", "priority"]).await.expect("updated");
    assert_eq!((narrowed.audience, narrowed.priority), (Some(portal), 3));
    let cleared = change(PriceList::default(), &["audience"]).await.expect("updated");
    assert_eq!(cleared.audience, None);
}
