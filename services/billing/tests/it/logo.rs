//! Logos of legal entities: what is an image, and that documents keep the one they were issued with.

use tonic::{Code, Response, Status};
use trato_proto::billing::v1::{
    GetLegalEntityLogoRequest, LegalEntity, LegalEntityLogo, SetLegalEntityLogoRequest,
    UpdateLegalEntityRequest,
};
use uuid::Uuid;

use crate::harness::{Billing, company, field, paths, refusal, violations};

/// A red square.
pub const PNG: &[u8] = include_bytes!("../../../../crates/paper/src/tests/square.png");
/// The same, as JPEG.
pub const JPEG: &[u8] = include_bytes!("../../../../crates/paper/src/tests/square.jpg");

impl Billing {
    pub async fn set_logo(&self, entity: &LegalEntity, logo: &[u8]) -> Result<LegalEntity, Status> {
        self.ask_for_logo(SetLegalEntityLogoRequest {
            name: entity.name.clone(),
            logo: logo.to_vec(),
            ..Default::default()
        })
        .await
    }

    async fn ask_for_logo(&self, request: SetLegalEntityLogoRequest) -> Result<LegalEntity, Status> {
        self.legal_entities()
            .set_legal_entity_logo(self.admin.request(request))
            .await
            .map(Response::into_inner)
    }

    async fn logo(&self, entity: &LegalEntity) -> Result<LegalEntityLogo, Status> {
        let request = GetLegalEntityLogoRequest { name: entity.name.clone() };
        self.legal_entities()
            .get_legal_entity_logo(self.admin.request(request))
            .await
            .map(Response::into_inner)
    }
}

#[tokio::test]
async fn a_logo_is_kept_as_it_was_given() {
    let billing = Billing::start().await;
    let entity = billing.legal_entity("Hispania").await;

    let without = billing.logo(&entity).await;
    let request = SetLegalEntityLogoRequest {
        name: entity.name.clone(),
        logo: PNG.to_vec(),
        request_id: Uuid::now_v7().to_string(),
        ..Default::default()
    };
    let tried = SetLegalEntityLogoRequest { validate_only: true, ..request.clone() };
    let tried = billing.ask_for_logo(tried).await.expect("it would pass");
    let untouched = billing.logo(&entity).await;
    let with = billing.ask_for_logo(request.clone()).await.expect("a logo");
    let again = billing.ask_for_logo(request).await.expect("the answer");
    let kept = billing.logo(&entity).await.expect("a logo");
    let other = billing.legal_entity("Lusitania").await;
    let same = billing.set_logo(&other, PNG).await.expect("the same logo");
    let jpeg = billing.set_logo(&entity, JPEG).await.expect("another logo");
    let changed = billing.logo(&entity).await.expect("another logo");
    billing.set_logo(&entity, &[]).await.expect("no logo");
    let gone = billing.logo(&entity).await;

    let missing = (Code::NotFound, "LOGO_NOT_FOUND".to_owned());
    assert_eq!(
        (refusal(without), refusal(untouched), refusal(gone)),
        (missing.clone(), missing.clone(), missing)
    );
    assert_eq!(tried.logo_hash, with.logo_hash);
    assert_eq!((again, same.logo_hash.as_str()), (with.clone(), with.logo_hash.as_str()));
    assert_eq!(
        (kept.content.as_slice(), kept.media_type.as_str(), &kept.hash),
        (PNG, "image/png", &with.logo_hash)
    );
    assert_eq!((changed.content.as_slice(), changed.media_type.as_str()), (JPEG, "image/jpeg"));
    assert_ne!(jpeg.logo_hash, with.logo_hash);
}

/// Bad input: a logo that is not an image is a clear error, and so is one that is too large; nothing is kept of it.
#[tokio::test]
async fn what_is_no_logo_is_refused() {
    let billing = Billing::start().await;
    let entity = billing.legal_entity("Hispania").await;

    for (logo, reason) in [
        (b"<svg/>".to_vec(), "NOT_AN_IMAGE"),
        (PNG[..PNG.len() / 2].to_vec(), "NOT_AN_IMAGE"),
        (JPEG[..JPEG.len() / 2].to_vec(), "NOT_AN_IMAGE"),
        (vec![0xFF; 256 * 1024 + 1], "TOO_LARGE"),
    ] {
        assert_eq!(violations(billing.set_logo(&entity, &logo).await), [field("logo", reason)]);
    }
    assert_eq!(refusal(billing.logo(&entity).await).0, Code::NotFound);
    assert_eq!(billing.event_types().await, ["legal_entity.created"]);
}

/// A logo survives changes of everything else, and nobody sets it by writing its hash.
#[tokio::test]
async fn a_logo_stays_while_other_things_change() {
    let billing = Billing::start().await;
    let entity = billing.legal_entity("Hispania").await;
    let with = billing.set_logo(&entity, PNG).await.expect("a logo");
    let forged = LegalEntity { logo_hash: "00".repeat(32), ..company("Lusitania") };

    let forged = billing.create_legal_entity(forged).await.expect("it is ignored");
    let whole = LegalEntity { legal_name: "Hispania S.A.".into(), logo_hash: String::new(), ..with.clone() };
    let request = UpdateLegalEntityRequest {
        legal_entity: Some(whole),
        update_mask: Some(paths(&["*"])),
        ..Default::default()
    };
    let changed = billing.legal_entities().update_legal_entity(billing.admin.request(request)).await;
    let changed = changed.expect("changed").into_inner();

    assert_eq!(forged.logo_hash, "");
    assert_eq!((changed.legal_name.as_str(), &changed.logo_hash), ("Hispania S.A.", &with.logo_hash));
}
