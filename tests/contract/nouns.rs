//! The resources there are.

/// Resources by noun: collection, and the name of their field in requests.
pub const NOUNS: [(&str, &str, &str); 32] = [
    ("Account", "accounts", "account"),
    ("ApprovalRule", "approvalRules", "approvalRule"),
    ("Cart", "carts", "cart"),
    ("Contact", "contacts", "contact"),
    ("CreditNote", "creditNotes", "creditNote"),
    ("CreditProfile", "creditProfiles", "creditProfile"),
    ("CreditReservation", "creditReservations", "creditReservation"),
    ("DeliveryNote", "deliveryNotes", "deliveryNote"),
    ("DunningPolicy", "dunningPolicies", "dunningPolicy"),
    ("DunningState", "dunningStates", "dunningState"),
    ("ExchangeRate", "exchangeRates", "exchangeRate"),
    ("Invoice", "invoices", "invoice"),
    ("Ledger", "ledgers", "ledger"),
    ("LegalEntity", "legalEntities", "legalEntity"),
    ("Member", "members", "member"),
    ("NumberSeries", "numberSeries", "numberSeries"),
    ("Opportunity", "opportunities", "opportunity"),
    ("Order", "orders", "order"),
    ("ParkedTask", "parkedTasks", "parkedTask"),
    ("Payment", "payments", "payment"),
    ("PaymentTerm", "paymentTerms", "paymentTerm"),
    ("Pipeline", "pipelines", "pipeline"),
    ("Price", "prices", "price"),
    ("PriceList", "priceLists", "priceList"),
    ("Product", "products", "product"),
    ("Promotion", "promotions", "promotion"),
    ("Quote", "quotes", "quote"),
    ("ReturnPolicy", "returnPolicies", "returnPolicy"),
    ("SalesNumberSeries", "salesNumberSeries", "salesNumberSeries"),
    ("SalesReturn", "salesReturns", "salesReturn"),
    ("TaxCode", "taxCodes", "taxCode"),
    ("Team", "teams", "team"),
];

/// A resource of this noun.
pub fn known(noun: &str) -> (&'static str, &'static str, &'static str) {
    let found = NOUNS.iter().find(|(known, ..)| *known == noun);
    *found.unwrap_or_else(|| panic!("the samples do not know the resource {noun}"))
}
