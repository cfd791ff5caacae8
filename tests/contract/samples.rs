//! One valid request for every method: the only hand-written part of the walk over the contract.
//!
//! A method that fits the standard shapes needs nothing here but the body of its resource.

use std::sync::Mutex;

use prost_reflect::MethodDescriptor;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    billing_samples::LOGO,
    nouns::known,
    order_samples::{ORDER_VERBS, Orders, changed_field},
    sales_samples::QUOTE_VERBS,
};
pub use super::{
    names::{names_in, random_name, with_random_names},
    nouns::NOUNS,
};
use crate::harness::{
    caller::Caller,
    tenant::Tenant,
    values::{dollars, name, text},
};

/// A tenant with one resource of every kind, and somebody who may do everything with them.
#[derive(Debug)]
pub struct World {
    /// May do everything.
    pub keeper: Caller,
    /// May do so too, and submits what the keeper approves.
    pub seller: Caller,
    /// An account.
    pub account: String,
    /// An approval rule that matches quotes of a million.
    pub approval_rule: String,
    /// A product that consists of the product.
    pub bundle: String,
    /// A contact tied to the account.
    pub contact: String,
    /// A draft of a credit note of `issued_invoice`.
    pub credit_note: String,
    /// A credit profile.
    pub credit_profile: String,
    /// A credit reservation of the account.
    pub credit_reservation: String,
    /// A number series of credit notes.
    pub credit_series: String,
    /// A dunning policy of the legal entity of the ledger.
    pub dunning_policy: String,
    /// What it made of the account.
    pub dunning_state: String,
    /// An exchange rate.
    pub exchange_rate: String,
    /// An invoice that is issued.
    pub issued_invoice: String,
    /// A draft of an invoice.
    pub invoice: String,
    /// A ledger of another legal entity.
    pub ledger: String,
    /// A legal entity.
    pub legal_entity: String,
    /// A member.
    pub member: String,
    /// A number series of the legal entity.
    pub number_series: String,
    /// An open opportunity.
    pub opportunity: String,
    /// Orders, and what comes of them.
    pub orders: Orders,
    /// A task that is parked.
    pub parked_task: String,
    /// A payment that is meant to be made.
    pub payment: String,
    /// A payment term.
    pub payment_term: String,
    /// A pipeline with the stages `lead` and `offer`.
    pub pipeline: String,
    /// What the product costs in the price list.
    pub price: String,
    /// A price list for the account.
    pub price_list: String,
    /// A product, sold and taxed.
    pub product: String,
    /// A promotion of the product.
    pub promotion: String,
    /// A draft of a quote.
    pub quote: String,
    /// A number series of quotes.
    pub sales_number_series: String,
    /// Code of the tax code, by which the product is taxed.
    pub tax_class: String,
    /// A tax code.
    pub tax_code: String,
    /// A team.
    pub team: String,
    /// Code of a tax that buyers withhold.
    pub withheld_tax_class: String,
    /// Legal entities without a ledger.
    pub spare_entities: Mutex<Vec<String>>,
    /// Accounts without a credit profile.
    pub spare_accounts: Mutex<Vec<String>>,
}

/// A request that would be answered.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The request as JSON.
    pub request: Value,
}

impl World {
    /// Makes one resource of every kind.
    pub async fn make(tenant: &Tenant) -> Self {
        let keeper = tenant.administrator();
        let mut world = Self {
            keeper,
            seller: tenant.caller("seller", &["administrator"]),
            account: String::new(),
            approval_rule: String::new(),
            bundle: String::new(),
            contact: String::new(),
            credit_note: String::new(),
            credit_profile: String::new(),
            credit_reservation: String::new(),
            credit_series: String::new(),
            dunning_policy: String::new(),
            dunning_state: String::new(),
            exchange_rate: String::new(),
            issued_invoice: String::new(),
            invoice: String::new(),
            ledger: String::new(),
            legal_entity: String::new(),
            member: String::new(),
            number_series: String::new(),
            opportunity: String::new(),
            orders: Orders::default(),
            parked_task: String::new(),
            payment: String::new(),
            payment_term: String::new(),
            pipeline: String::new(),
            price: String::new(),
            price_list: String::new(),
            product: String::new(),
            promotion: String::new(),
            quote: String::new(),
            sales_number_series: String::new(),
            tax_class: String::new(),
            tax_code: String::new(),
            team: String::new(),
            withheld_tax_class: String::new(),
            spare_entities: Mutex::default(),
            spare_accounts: Mutex::default(),
        };
        world.team = world.create("Team").await;
        world.member = world.create("Member").await;
        world.account = world.create("Account").await;
        world.contact = world.create("Contact").await;
        world.link(&world.contact).await;
        world.pipeline = world.create("Pipeline").await;
        world.tax_code = world.create("TaxCode").await;
        world.tax_class = world.class_of_tax_code().await;
        world.withheld_tax_class = world.withheld().await;
        world.product = world.create("Product").await;
        world.bundle = world.create("Product").await;
        world.price_list = world.create("PriceList").await;
        world.price = world.create("Price").await;
        world.promotion = world.create("Promotion").await;
        world.opportunity = world.create("Opportunity").await;
        world.legal_entity = world.create("LegalEntity").await;
        world.number_series = world.create("NumberSeries").await;
        world.payment_term = world.create("PaymentTerm").await;
        world.exchange_rate = world.create("ExchangeRate").await;
        world.sales_number_series = world.create("SalesNumberSeries").await;
        world.approval_rule = world.create("ApprovalRule").await;
        world.until_taxes_are_known().await;
        world.quote = world.create("Quote").await;
        world.make_orders().await;
        world.invoice = world.create("Invoice").await;
        world.issued_invoice = world.issued().await;
        world.credit_series = world.credits().await;
        world.credit_note = world.create("CreditNote").await;
        world.ledger = world.create("Ledger").await;
        (world.dunning_policy, world.dunning_state) = world.dunned().await;
        world.parked_task = world.parked().await;
        world.payment = world.create("Payment").await;
        world.credit_profile = world.create("CreditProfile").await;
        world.credit_reservation = world.reserved().await.1;
        world
    }

    /// The resource of this noun that every sample may read.
    pub fn name_of(&self, noun: &str) -> &str {
        match noun {
            "Account" => &self.account,
            "ApprovalRule" => &self.approval_rule,
            "Contact" => &self.contact,
            "CreditNote" => &self.credit_note,
            "CreditProfile" => &self.credit_profile,
            "CreditReservation" => &self.credit_reservation,
            "DunningPolicy" => &self.dunning_policy,
            "DunningState" => &self.dunning_state,
            "ExchangeRate" => &self.exchange_rate,
            "Invoice" => &self.invoice,
            "Ledger" => &self.ledger,
            "LegalEntity" => &self.legal_entity,
            "Member" => &self.member,
            "NumberSeries" => &self.number_series,
            "Opportunity" => &self.opportunity,
            "ParkedTask" => &self.parked_task,
            "Payment" => &self.payment,
            "PaymentTerm" => &self.payment_term,
            "Pipeline" => &self.pipeline,
            "Price" => &self.price,
            "PriceList" => &self.price_list,
            "Product" => &self.product,
            "Promotion" => &self.promotion,
            "Quote" => &self.quote,
            "SalesNumberSeries" => &self.sales_number_series,
            "TaxCode" => &self.tax_code,
            "Team" => &self.team,
            other => self
                .orders
                .name_of(other)
                .unwrap_or_else(|| panic!("the samples do not know the resource {other}")),
        }
    }

    /// The name in this world of a resource of the collection of `name`; none for a collection without one.
    pub fn counterpart(&self, name: &str) -> Option<&str> {
        let collection = name.split_once('/')?.0;
        NOUNS.iter().find(|(_, known, _)| *known == collection).map(|(noun, ..)| self.name_of(noun))
    }

    /// Records a new resource and answers its name.
    pub async fn create(&self, noun: &str) -> String {
        let (_, collection, _) = known(noun);
        self.prepare(noun).await;
        let mut body = self.body(noun);
        // References to what is not made yet are left out.
        body.as_object_mut()
            .expect("a body is an object")
            .retain(|_, value| *value != json!("") && *value != json!([""]));
        name(&self.keeper.post(&format!("/v1/{collection}"), body).await.ok())
    }

    async fn class_of_tax_code(&self) -> String {
        let tax_code = self.keeper.get(&format!("/v1/{}", self.tax_code)).await.ok();
        text(&tax_code, "code").to_owned()
    }

    async fn link(&self, contact: &str) {
        let body = json!({ "account": self.account });
        self.keeper.post(&format!("/v1/{contact}:link"), body).await.ok();
    }

    /// A request of `method` that would be answered; what it acts upon is made for it.
    pub async fn sample(&self, method: &MethodDescriptor) -> Sample {
        self.prepare(method.name()).await;
        let request = match method.name() {
            "GetCaller" | "ListAccessRecords" | "QueryCartAbandonment" | "QueryFunnel" | "ReplayEvents" => {
                json!({})
            }
            "SubscribeEvents" => json!({ "fromStart": true }),
            "ExplainAccess" | "ListViewers" => self.access(method),
            "ListTimelineEntries" => json!({ "parent": self.account }),
            "ListStageChanges" => json!({ "parent": self.opportunity }),
            "ListStalledChains" => json!({ "stalledFor": "60s", "pageSize": 10 }),
            "PreviewInvoice" => json!({ "invoice": self.body("Invoice") }),
            "CreateInvoiceFromSource" => json!({
                "sourceDocument": self.accepted_quote().await, "legalEntity": self.legal_entity,
                "requestId": Uuid::new_v4(),
            }),
            "IssueInvoice" => self.issue(&self.create("Invoice").await),
            "IssueCreditNote" => json!({
                "name": self.create("CreditNote").await, "numberSeries": self.credit_series,
                "requestId": Uuid::new_v4(),
            }),
            "CreateCreditNoteFromReturn" => {
                json!({ "salesReturn": self.refunded().await, "requestId": Uuid::new_v4() })
            }
            "RenderInvoice" => json!({ "name": self.issued_invoice, "language": "es" }),
            "RenderCreditNote" => json!({ "name": self.credit_note, "paper": "LETTER" }),
            "SetLegalEntityLogo" => json!({ "name": self.create("LegalEntity").await, "logo": LOGO }),
            "GetLegalEntityLogo" => json!({ "name": self.with_logo().await }),
            "SendInvoice" => json!({ "name": self.issued().await }),
            "VoidInvoice" => json!({ "name": self.issued().await, "reason": "Wrong customer" }),
            "VerifyChain" => json!({ "numberSeries": self.number_series }),
            "PreviewNumber" => json!({ "name": self.number_series }),
            "ListContacts" => json!({ "parent": self.account }),
            "LinkContact" => {
                json!({ "name": self.create("Contact").await, "account": self.account, "role": "USER" })
            }
            "UnlinkContact" => {
                let contact = self.create("Contact").await;
                self.link(&contact).await;
                json!({ "name": contact, "account": self.account })
            }
            "MoveOpportunity" => json!({ "name": self.create("Opportunity").await, "stage": "offer" }),
            "WinOpportunity" => json!({ "name": self.create("Opportunity").await }),
            "LoseOpportunity" => json!({ "name": self.create("Opportunity").await, "reason": "PRICE" }),
            "ReopenOpportunity" => {
                let opportunity = self.create("Opportunity").await;
                self.keeper
                    .post(&format!("/v1/{opportunity}:lose"), json!({ "reason": "TIMING" }))
                    .await
                    .ok();
                json!({ "name": opportunity })
            }
            verb if QUOTE_VERBS.contains(&verb) => self.quote_verb(verb).await,
            verb if ORDER_VERBS.contains(&verb) => self.order_verb(verb).await,
            "PriceDocument" => {
                let mut document = self.document();
                document["legalEntity"] = json!(self.legal_entity);
                document
            }
            "ValidateConfiguration" => json!({
                "product": self.product, "choices": [{ "option": "lamp" }], "currencyCode": "USD",
            }),
            "ExplodeBundle" => json!({ "product": self.bundle, "amount": dollars(40) }),
            "RollUpLines" => json!({
                "product": self.bundle, "parts": [{ "product": self.product, "quantity": "8" }],
            }),
            "ImportOpportunities" => json!({ "items": [{
                "opportunity": self.external("Opportunity"),
                "stageChanges": [{ "stage": "lead", "eventTime": "2017-03-01T09:00:00Z" }],
            }] }),
            _ => match self.money_sample(method).await {
                Some(request) => request,
                None => self.standard(method).await,
            },
        };
        Sample { request }
    }

    fn access(&self, method: &MethodDescriptor) -> Value {
        let (name, get) = match method.parent_service().package_name() {
            "trato.customers.v1" => (&self.account, "customers.accounts.get"),
            "trato.billing.v1" => (&self.legal_entity, "billing.legalEntities.get"),
            _ => (&self.opportunity, "sales.opportunities.get"),
        };
        match method.name() {
            "ExplainAccess" => json!({ "permission": get, "name": name }),
            _ => json!({ "name": name }),
        }
    }

    fn external(&self, noun: &str) -> Value {
        let mut body = self.body(noun);
        body["source"] = json!("erp");
        body["externalId"] = json!(Uuid::new_v4());
        body
    }

    async fn standard(&self, method: &MethodDescriptor) -> Value {
        let full = method.name();
        for verb in
            ["BatchGet", "BatchCreate", "Get", "List", "Create", "Update", "Delete", "Undelete", "Upsert"]
        {
            let Some(rest) = full.strip_prefix(verb) else { continue };
            let found = NOUNS
                .iter()
                .find(|(noun, collection, _)| rest == *noun || rest.eq_ignore_ascii_case(collection));
            let Some((noun, _, field)) = found else { continue };
            return match verb {
                "Get" => json!({ "name": self.name_of(noun) }),
                "BatchGet" => json!({ "names": [self.name_of(noun)] }),
                "List" => json!({ "pageSize": 10, "orderBy": "create_time desc", "showDeleted": true }),
                "Create" => json!({ *field: self.body(noun) }),
                "BatchCreate" => {
                    json!({ "requests": [{ *field: self.body(noun) }, { *field: self.external(noun) }] })
                }
                "Upsert" => json!({ *field: self.external(noun) }),
                "Update" => {
                    let mut body = self.body(noun);
                    body["name"] = json!(self.create(noun).await);
                    json!({ *field: body, "updateMask": changed_field(noun) })
                }
                "Delete" => json!({ "name": self.create(noun).await }),
                _ => {
                    let deleted = self.create(noun).await;
                    self.keeper.delete(&format!("/v1/{deleted}")).await.ok();
                    json!({ "name": deleted })
                }
            };
        }
        panic!("the samples do not know the method {}", method.full_name())
    }
}
