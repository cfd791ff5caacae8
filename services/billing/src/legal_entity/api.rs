//! `LegalEntityService`, and a legal entity on the wire.

use futures::FutureExt as _;
use tonic::Request;
use trato_paper::Logo;
use trato_platform::{
    App,
    db::{Constraint, Facts, Record, Resource},
    standard::{Reply, Store, answer, require_living},
};
use trato_proto::{
    billing::v1::{self as pb, legal_entity_service_server::LegalEntityService},
    wire::{self, UnknownName},
};
use trato_query::Field;
use trato_types::{
    Address, Context, Currency, Error, Kind, Result, Violations, address,
    text::{line, paragraph},
};

use super::{
    logo::Logos,
    model::{LegalEntity, Seller, TaxId, TaxIds, TaxRounding, bic, iban},
    store,
};
use crate::fields;

/// Serves legal entities.
pub struct Api {
    legal_entities: Store<LegalEntity>,
    logos: Logos,
}

impl Api {
    /// The service over the app's database.
    pub fn new(app: &App) -> Self {
        Self { legal_entities: Store::new(&app.database), logos: Logos::new(&app.database) }
    }
}

#[tonic::async_trait]
impl LegalEntityService for Api {
    async fn get_legal_entity(&self, request: Request<pb::GetLegalEntityRequest>) -> Reply<pb::LegalEntity> {
        self.legal_entities.get(request).await
    }
    async fn list_legal_entities(
        &self,
        request: Request<pb::ListLegalEntitiesRequest>,
    ) -> Reply<pb::ListLegalEntitiesResponse> {
        self.legal_entities.list(request).await
    }
    async fn create_legal_entity(
        &self,
        request: Request<pb::CreateLegalEntityRequest>,
    ) -> Reply<pb::LegalEntity> {
        self.legal_entities.create(request).await
    }
    async fn update_legal_entity(
        &self,
        request: Request<pb::UpdateLegalEntityRequest>,
    ) -> Reply<pb::LegalEntity> {
        self.legal_entities.update(request).await
    }
    async fn delete_legal_entity(
        &self,
        request: Request<pb::DeleteLegalEntityRequest>,
    ) -> Reply<pb::LegalEntity> {
        self.legal_entities.delete(request).await
    }
    async fn undelete_legal_entity(
        &self,
        request: Request<pb::UndeleteLegalEntityRequest>,
    ) -> Reply<pb::LegalEntity> {
        self.legal_entities.undelete(request).await
    }
    async fn batch_get_legal_entities(
        &self,
        request: Request<pb::BatchGetLegalEntitiesRequest>,
    ) -> Reply<pb::BatchGetLegalEntitiesResponse> {
        self.legal_entities.batch_get(request).await
    }
    async fn batch_create_legal_entities(
        &self,
        request: Request<pb::BatchCreateLegalEntitiesRequest>,
    ) -> Reply<pb::BatchCreateLegalEntitiesResponse> {
        self.legal_entities.batch_create(request).await
    }
    async fn upsert_legal_entity(
        &self,
        request: Request<pb::UpsertLegalEntityRequest>,
    ) -> Reply<pb::LegalEntity> {
        self.legal_entities.upsert(request).await
    }

    async fn set_legal_entity_logo(
        &self,
        request: Request<pb::SetLegalEntityLogoRequest>,
    ) -> Reply<pb::LegalEntity> {
        self.legal_entities
            .change_in(request, "updated", |tx, before, body| {
                async move {
                    require_living(before)?;
                    let mut entity = before.value.clone();
                    let mut facts = Facts::default();
                    entity.logo = match body.logo.as_slice() {
                        [] => None,
                        bytes => {
                            let hash = Logos::keep(tx, &Logo::checked("logo", bytes.to_vec())?).await?;
                            facts = Facts::of(&pb::LegalEntityLogoSet {
                                content: bytes.to_vec(),
                                hash: hash.to_string(),
                            });
                            Some(hash)
                        }
                    };
                    Ok((before.next(tx.cx(), entity), facts))
                }
                .boxed()
            })
            .await
    }
    async fn get_legal_entity_logo(
        &self,
        request: Request<pb::GetLegalEntityLogoRequest>,
    ) -> Reply<pb::LegalEntityLogo> {
        answer(request, async |cx, body| {
            let entity = self.legal_entities.read(cx, &body.name).await?.value;
            let missing = || Error::new(Kind::NotFound, "LOGO_NOT_FOUND", "the legal entity has no logo");
            let hash = entity.logo.ok_or_else(|| missing().about(&body.name))?;
            let logo = self.logos.read(cx, hash).await?;
            Ok(pb::LegalEntityLogo {
                content: logo.bytes().to_vec(),
                media_type: logo.media_type().to_owned(),
                hash: hash.to_string(),
            })
        })
        .await
    }
}

impl Resource for LegalEntity {
    type Message = pb::LegalEntity;
    const TABLE: &'static str = "legal_entity";
    const COLLECTION: &'static str = "legalEntities";
    const EVENT: &'static str = "trato.billing.v1.legal_entity";
    const FIELDS: &'static [Field] = store::FIELDS;
    const CONSTRAINTS: &'static [Constraint] = store::CONSTRAINTS;
    const OWNABLE: bool = false;

    fn parse(message: &pb::LegalEntity, _: &Context) -> Result<Self> {
        let mut violations = Violations::new();
        let check = &mut violations;
        let display_name = check.keep("display_name", message.display_name.parse());
        let legal_name = check.keep("legal_name", message.legal_name.parse());
        let tax_ids = parse_tax_ids(&message.tax_ids, check)?;
        let address = Address::checked(message.address.clone().map(Into::into), "address", check);
        let time_zone = check.keep("time_zone", message.time_zone.parse());
        let currency =
            check.keep("base_currency_code", Currency::parse_existing(&message.base_currency_code));
        let tax_rounding = check
            .keep("tax_rounding", parse_tax_rounding(message.tax_rounding))
            .unwrap_or(TaxRounding::Group);
        let e_invoice_profile =
            check.keep("e_invoice_profile", line(&message.e_invoice_profile, 200)).unwrap_or_default();
        let iban = check.keep("iban", iban(&message.iban)).unwrap_or_default();
        let bic = check.keep("bic", bic(&message.bic)).unwrap_or_default();
        let document_footer = check.keep("document_footer", paragraph(&message.document_footer, 500));
        let document_footer = document_footer.unwrap_or_default();
        // What a client sends there is gone by now; this is what is stored.
        let logo = message.logo_hash.as_str();
        let logo = if logo.is_empty() { None } else { Some(logo.parse()?) };
        let names = display_name.zip(legal_name);
        #[rustfmt::skip]
        let entity = names.zip(tax_ids).zip(time_zone).zip(currency).map(
            |((((display_name, legal_name), tax_ids), time_zone), base_currency_code)| Self {
                display_name, legal_name, tax_ids, address, time_zone, base_currency_code, tax_rounding,
                e_invoice_profile, iban, bic, document_footer, logo,
            },
        );
        violations.into_result(entity)
    }

    fn render(record: &Record<Self>) -> pb::LegalEntity {
        let entity = &record.value;
        let (source, external_id) = record.external_fields();
        pb::LegalEntity {
            name: record.name(),
            create_time: Some(wire::timestamp(record.create_time)),
            update_time: Some(wire::timestamp(record.update_time)),
            delete_time: record.delete_time.map(wire::timestamp),
            creator: record.creator.clone(),
            etag: record.etag(),
            source,
            external_id,
            display_name: entity.display_name.to_string(),
            legal_name: entity.legal_name.to_string(),
            tax_ids: entity.tax_ids.iter().map(render_tax_id).collect(),
            address: entity.address.clone().map(Into::into),
            time_zone: entity.time_zone.to_string(),
            base_currency_code: entity.base_currency_code.to_string(),
            tax_rounding: render_tax_rounding(entity.tax_rounding).into(),
            e_invoice_profile: entity.e_invoice_profile.clone(),
            iban: entity.iban.clone(),
            bic: entity.bic.clone(),
            document_footer: entity.document_footer.clone(),
            logo_hash: entity.logo.map(|logo| logo.to_string()).unwrap_or_default(),
        }
    }
}

/// Who makes out a document, on the wire.
pub fn render_seller(seller: &Seller) -> pb::invoice::Seller {
    pb::invoice::Seller {
        legal_name: seller.legal_name.clone(),
        tax_ids: seller.tax_ids.iter().map(render_tax_id).collect(),
        address: seller.address.clone().map(Into::into),
        iban: seller.iban.clone(),
        bic: seller.bic.clone(),
        document_footer: seller.document_footer.clone(),
        logo_hash: seller.logo.map(|logo| logo.to_string()).unwrap_or_default(),
        e_invoice_profile: seller.e_invoice_profile.clone(),
    }
}

fn parse_tax_ids(
    messages: &[pb::legal_entity::TaxId],
    violations: &mut Violations,
) -> Result<Option<TaxIds>> {
    let given = violations.keep("tax_ids", wire::at_most(messages, TaxIds::MAX)).unwrap_or_default();
    let mut tax_ids = Vec::with_capacity(given.len());
    for (index, message) in given.iter().enumerate() {
        tax_ids.extend(violations.absorb(&format!("tax_ids[{index}]."), parse_tax_id(message))?);
    }
    violations.absorb("", TaxIds::new(tax_ids))
}

fn parse_tax_id(message: &pb::legal_entity::TaxId) -> Result<TaxId> {
    let mut violations = Violations::new();
    let country_code = violations.keep("country_code", address::country_code(&message.country_code));
    let scheme = violations.keep("scheme", fields::word(&message.scheme, 20));
    let value = violations.keep("value", fields::word(&message.value, 40));
    let tax_id = country_code.zip(scheme).zip(value).map(|((country_code, scheme), value)| TaxId {
        country_code,
        scheme,
        value,
    });
    violations.into_result(tax_id)
}

fn render_tax_id(tax_id: &TaxId) -> pb::legal_entity::TaxId {
    pb::legal_entity::TaxId {
        country_code: tax_id.country_code.clone(),
        scheme: tax_id.scheme.clone(),
        value: tax_id.value.clone(),
    }
}

fn parse_tax_rounding(tax_rounding: i32) -> Result<TaxRounding, UnknownName> {
    match pb::legal_entity::TaxRounding::try_from(tax_rounding) {
        Ok(pb::legal_entity::TaxRounding::Unspecified | pb::legal_entity::TaxRounding::Group) => {
            Ok(TaxRounding::Group)
        }
        Ok(pb::legal_entity::TaxRounding::Line) => Ok(TaxRounding::Line),
        Err(_) => Err(UnknownName),
    }
}

fn render_tax_rounding(tax_rounding: TaxRounding) -> pb::legal_entity::TaxRounding {
    match tax_rounding {
        TaxRounding::Group => pb::legal_entity::TaxRounding::Group,
        TaxRounding::Line => pb::legal_entity::TaxRounding::Line,
    }
}
