//! Legal entities: a plain resource, which stays while number series are its own.

use tonic::{Code, Response, Status};
use trato_proto::billing::v1::{
    Address, DeleteLegalEntityRequest, DeleteNumberSeriesRequest, LegalEntity, ListLegalEntitiesRequest,
    UndeleteLegalEntityRequest, UndeleteNumberSeriesRequest, UpdateLegalEntityRequest,
    legal_entity::{TaxId, TaxRounding},
};

use crate::harness::{Billing, company, field, invoices, paths, refusal, violations};

impl Billing {
    async fn delete_legal_entity(&self, name: &str) -> Result<LegalEntity, Status> {
        let request = DeleteLegalEntityRequest { name: name.into(), ..Default::default() };
        self.legal_entities().delete_legal_entity(self.admin.request(request)).await.map(Response::into_inner)
    }

    pub async fn update_legal_entity(
        &self,
        legal_entity: LegalEntity,
        mask: &[&str],
    ) -> Result<LegalEntity, Status> {
        let request = UpdateLegalEntityRequest {
            legal_entity: Some(legal_entity),
            update_mask: Some(paths(mask)),
            ..Default::default()
        };
        self.legal_entities().update_legal_entity(self.admin.request(request)).await.map(Response::into_inner)
    }
}

fn tax_id(value: &str) -> TaxId {
    TaxId { country_code: "ES".into(), scheme: "VAT".into(), value: value.into() }
}

#[tokio::test]
async fn a_legal_entity_is_kept_as_it_was_given() {
    let billing = Billing::start().await;
    let given = LegalEntity {
        tax_ids: vec![tax_id("ESB12345678")],
        address: Some(Address {
            lines: vec!["Calle Mayor 1".into()],
            locality: "Madrid".into(),
            country_code: "ES".into(),
            ..Default::default()
        }),
        e_invoice_profile: "urn:cen.eu:en16931:2017".into(),
        ..company("Hispania")
    };

    let kept = billing.create_legal_entity(given.clone()).await.expect("a legal entity");

    assert_eq!(kept.tax_rounding(), TaxRounding::Group, "taxes are rounded by group unless it is said");
    assert_eq!((&kept.tax_ids, &kept.address), (&given.tax_ids, &given.address));
    assert_eq!(kept.e_invoice_profile, given.e_invoice_profile);
    let filter = "base_currency_code = EUR AND legal_name = \"Hispania S.L.\"".into();
    let request = ListLegalEntitiesRequest { filter, ..Default::default() };
    let page = billing.legal_entities().list_legal_entities(billing.admin.request(request)).await;
    assert_eq!(page.expect("a page").into_inner().legal_entities, [kept]);
    assert_eq!(billing.event_types().await, ["legal_entity.created"]);
}

#[tokio::test]
async fn all_that_is_wrong_with_a_legal_entity_is_said_at_once() {
    let billing = Billing::start().await;

    let answer = billing
        .create_legal_entity(LegalEntity {
            display_name: "x".repeat(201),
            tax_ids: vec![TaxId { country_code: "es".into(), scheme: " ".into(), value: "x".repeat(41) }],
            time_zone: "Madrid".into(),
            base_currency_code: "ABC".into(),
            tax_rounding: 9,
            e_invoice_profile: "a\u{0}b".into(),
            address: Some(Address { country_code: "Spain".into(), ..Default::default() }),
            ..Default::default()
        })
        .await;
    let twice = LegalEntity { tax_ids: vec![tax_id("A"), tax_id("A")], ..company("Hispania") };
    let twice = billing.create_legal_entity(twice).await;
    let many = LegalEntity { tax_ids: vec![tax_id("A"); 10_000], ..company("Hispania") };
    let many = billing.create_legal_entity(many).await;

    let expected = [
        field("legal_entity.address.country_code", "INVALID_COUNTRY_CODE"),
        field("legal_entity.base_currency_code", "UNKNOWN_CURRENCY"),
        field("legal_entity.display_name", "TOO_LONG"),
        field("legal_entity.e_invoice_profile", "CONTROL_CHARACTER"),
        field("legal_entity.legal_name", "REQUIRED"),
        field("legal_entity.tax_ids[0].country_code", "INVALID_COUNTRY_CODE"),
        field("legal_entity.tax_ids[0].scheme", "EMPTY"),
        field("legal_entity.tax_ids[0].value", "TOO_LONG"),
        field("legal_entity.tax_rounding", "UNKNOWN_VALUE"),
        field("legal_entity.time_zone", "INVALID_TIME_ZONE"),
    ];
    assert_eq!(violations(answer), expected);
    assert_eq!(violations(twice), [field("legal_entity.tax_ids[1]", "DUPLICATE_TAX_ID")]);
    assert_eq!(violations(many), [field("legal_entity.tax_ids", "TOO_MANY")]);
}

#[tokio::test]
async fn names_are_unique_among_the_living_and_the_base_currency_stays() {
    let billing = Billing::start().await;
    let first = billing.legal_entity("Hispania").await;

    let taken = billing.create_legal_entity(company("Hispania")).await;
    let dollars = LegalEntity { base_currency_code: "USD".into(), ..first.clone() };
    let dollars = billing.update_legal_entity(dollars, &["base_currency_code"]).await;
    let renamed = LegalEntity { display_name: "Hispania Norte".into(), ..first.clone() };
    let renamed = billing.update_legal_entity(renamed, &["display_name"]).await.expect("renamed");

    assert_eq!(refusal(taken), (Code::AlreadyExists, "LEGAL_ENTITY_NAME_TAKEN".to_owned()));
    assert_eq!(violations(dollars), [field("legal_entity.base_currency_code", "IMMUTABLE")]);
    assert_eq!((renamed.display_name.as_str(), renamed.legal_name), ("Hispania Norte", first.legal_name));
    assert!(billing.create_legal_entity(company("Hispania")).await.is_ok(), "the name is free again");
}

#[tokio::test]
async fn a_legal_entity_stays_while_series_are_its_own() {
    let billing = Billing::start().await;
    let entity = billing.legal_entity("Hispania").await;
    let series = billing.series(&entity, "F").await;

    let in_use = billing.delete_legal_entity(&entity.name).await;
    let delete = DeleteNumberSeriesRequest { name: series.name.clone(), ..Default::default() };
    billing.number_series().delete_number_series(billing.admin.request(delete)).await.expect("deleted");
    billing.delete_legal_entity(&entity.name).await.expect("nothing is its own any more");
    let new = billing.create_series(invoices(&entity, "G")).await;
    let undelete = UndeleteNumberSeriesRequest { name: series.name.clone(), ..Default::default() };
    let undeleted = billing.number_series().undelete_number_series(billing.admin.request(undelete)).await;

    assert_eq!(refusal(in_use), (Code::FailedPrecondition, "LEGAL_ENTITY_IN_USE".to_owned()));
    for refused in [refusal(new), refusal(undeleted)] {
        assert_eq!(refused, (Code::FailedPrecondition, "LEGAL_ENTITY_NOT_FOUND".to_owned()));
    }
    let undelete = UndeleteLegalEntityRequest { name: entity.name.clone(), ..Default::default() };
    billing.legal_entities().undelete_legal_entity(billing.admin.request(undelete)).await.expect("undeleted");
    billing.series(&entity, "G").await;
}
