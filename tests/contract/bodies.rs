//! One valid body for every resource: what the samples create, change and upsert.

use rand::random;
use serde_json::{Value, json};
use uuid::Uuid;

use super::samples::World;
use crate::harness::values::dollars;

impl World {
    /// A valid body of a new resource.
    pub fn body(&self, noun: &str) -> Value {
        let unique = Uuid::new_v4().simple().to_string();
        match noun {
            "Account" => json!({
                "displayName": format!("Account {unique}"), "kinds": ["SUPPLIER"], "sector": "retail",
                "annualRevenue": dollars(1_000_000), "employeeCount": 12, "parentAccount": self.account,
                "address": { "lines": ["Calle Mayor 1"], "locality": "Madrid", "countryCode": "ES" },
            }),
            "Contact" => json!({ "givenNames": "Ana", "surname": unique, "emailAddress": "ana@example.com" }),
            "Member" => json!({
                "subject": format!("member-{unique}"), "displayName": "Ana", "teams": [self.team],
                "manager": self.member, "skills": ["german"],
            }),
            "Opportunity" => json!({
                "displayName": format!("Opportunity {unique}"), "account": self.account, "contact": self.contact,
                "pipeline": self.pipeline, "product": self.product, "amount": dollars(500),
            }),
            "Pipeline" => json!({
                "displayName": format!("Pipeline {unique}"),
                "stages": [
                    { "key": "lead", "displayName": "Lead", "probabilityPercent": 10 },
                    { "key": "offer", "displayName": "Offer", "probabilityPercent": 60 },
                ],
            }),
            "Price" => json!({
                "priceList": self.price_list, "product": self.product, "unitPrice": "8.75",
                "minQuantity": (1 + u64::from(random::<u32>())).to_string(),
            }),
            "PriceList" => json!({
                "displayName": format!("Price list {unique}"), "currencyCode": "USD",
                "audience": { "accounts": [self.account], "channels": ["portal"] },
            }),
            "Product" => self.product_body(&unique),
            "Promotion" => json!({
                "displayName": format!("Promotion {unique}"), "effect": { "percent": "5" },
                "condition": { "products": [self.product], "minQuantity": "10" }, "budget": dollars(1_000),
            }),
            "Team" => json!({ "displayName": format!("Team {unique}"), "region": "West" }),
            other => self.sales_body(other, &unique),
        }
    }

    fn product_body(&self, unique: &str) -> Value {
        let mut body = json!({
            "displayName": format!("Product {unique}"), "listPrice": dollars(9), "sellable": true,
            "taxClass": self.tax_class,
            "attributes": { "power-kw": 2.2, "colour": "red", "hot": true },
            "optionGroups": [{ "key": "extras", "displayName": "Extras", "options": [
                { "key": "lamp", "displayName": "Lamp", "surcharges": [dollars(2)] },
            ] }],
        });
        if !self.product.is_empty() {
            body["components"] = json!([{ "product": self.product, "factor": "4" }]);
        }
        body
    }
}
