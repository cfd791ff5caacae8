//! Lines in UBL.

use trato_pricing::Quantity;
use trato_types::Currency;

use super::{
    Words, day_of,
    settlement::{money, read_adjustment, read_vat, write_adjustment, write_vat},
    write::period,
};
use crate::{
    EInvoiceError,
    model::{Adjustment, Class, Item, Line, Period, Price, PriceDiscount, StandardId, Unit, Vat},
    xml::{Element, Fault, Node},
};

pub(super) fn write_line<'a>(line: &'a Line, words: &Words, currency: Currency) -> Node<'a> {
    let quantity = |name, quantity: Quantity| {
        Node::leaf(name, quantity.to_string()).attribute("unitCode", line.unit.as_str())
    };
    let adjust = |is_charge| move |one: &Adjustment| write_adjustment(one, is_charge, currency);
    let discount = line.price.discount.map(|discount| {
        Node::new("cac:AllowanceCharge")
            .text("cbc:ChargeIndicator", "false")
            .add(price("cbc:Amount", discount.amount, currency))
            .add(price("cbc:BaseAmount", discount.gross, currency))
    });
    let per = (line.price.per != Quantity::ONE).then(|| quantity("cbc:BaseQuantity", line.price.per));
    let of_price = Node::new("cac:Price")
        .add(price("cbc:PriceAmount", line.price.net, currency))
        .add_all(per)
        .add_all(discount);
    Node::new(words.line)
        .text("cbc:ID", line.number.as_str())
        .text_if("cbc:Note", line.note.as_ref())
        .add(quantity(words.quantity, line.quantity))
        .add(money("cbc:LineExtensionAmount", line.net, currency))
        .text_if("cbc:AccountingCost", line.buyer_account.as_ref())
        .add(period(line.period))
        .add(Node::new("cac:OrderLineReference").text_if("cbc:LineID", line.order_line.as_ref()))
        .add_all(line.allowances.iter().map(adjust(false)))
        .add_all(line.charges.iter().map(adjust(true)))
        .add(write_item(&line.item, line.vat))
        .add(of_price)
}

/// A price, which may have more decimals than the currency.
fn price<'a>(name: &'static str, price: trato_pricing::UnitPrice, currency: Currency) -> Node<'a> {
    Node::leaf(name, price.to_string()).attribute("currencyID", currency.code().to_owned())
}

fn write_item(item: &Item, vat: Vat) -> Node<'_> {
    let standard = item
        .standard_id
        .as_ref()
        .map(|id| Node::leaf("cbc:ID", id.value.as_str()).attribute("schemeID", id.scheme.as_str()));
    let class = |class: &'_ Class| -> Node<'_> {
        let code = Node::leaf("cbc:ItemClassificationCode", class.code.to_string())
            .attribute("listID", class.list.to_string())
            .attribute_if("listVersionID", class.version.as_ref().map(ToString::to_string));
        Node::new("cac:CommodityClassification").add(code)
    };
    let origin = item.origin.as_ref();
    let properties = item.properties.iter().map(|(name, value)| {
        Node::new("cac:AdditionalItemProperty")
            .text("cbc:Name", name.as_str())
            .text("cbc:Value", value.as_str())
    });
    Node::new("cac:Item")
        .text_if("cbc:Description", item.description.as_ref())
        .text("cbc:Name", item.name.as_str())
        .add(Node::new("cac:BuyersItemIdentification").text_if("cbc:ID", item.buyer_id.as_ref()))
        .add(Node::new("cac:SellersItemIdentification").text_if("cbc:ID", item.seller_id.as_ref()))
        .add(Node::new("cac:StandardItemIdentification").add_all(standard))
        .add(Node::new("cac:OriginCountry").text_if("cbc:IdentificationCode", origin))
        .add_all(item.classes.iter().map(class))
        .add(write_vat("cac:ClassifiedTaxCategory", vat))
        .add_all(properties)
}

/// Takes a period out; it is open when there is none.
pub(super) fn read_period(element: &mut Element) -> Result<Period, Fault> {
    let period = element.group("cac:InvoicePeriod", |period| {
        Ok(Period { first: day_of(period, "cbc:StartDate")?, last: day_of(period, "cbc:EndDate")? })
    })?;
    Ok(period.unwrap_or_default())
}

pub(super) fn read_line(element: &mut Element, words: &Words, currency: Currency) -> Result<Line, Fault> {
    let quantity = element.one(words.quantity)?;
    let unit = quantity.attribute_need("unitCode")?;
    let (mut allowances, mut charges) = (Vec::new(), Vec::new());
    for (is_charge, one) in element.groups("cac:AllowanceCharge", |one| read_adjustment(one, currency))? {
        if is_charge { charges.push(one) } else { allowances.push(one) }
    }
    let (item, vat) = element.one("cac:Item")?.whole(read_item)?;
    Ok(Line {
        number: element.need("cbc:ID")?,
        note: element.value("cbc:Note")?,
        quantity: quantity.number()?,
        unit,
        net: element.amount_need("cbc:LineExtensionAmount", currency)?,
        order_line: element.within("cac:OrderLineReference", "cbc:LineID")?,
        buyer_account: element.value("cbc:AccountingCost")?,
        period: read_period(element)?,
        allowances,
        charges,
        price: element.one("cac:Price")?.whole(|price| read_price(price, unit, currency))?,
        vat,
        item,
    })
}

/// A price is in the document's currency and for the unit of the quantity.
fn read_price(element: &mut Element, unit: Unit, currency: Currency) -> Result<Price, Fault> {
    let in_currency = |amount: &Element| match amount.attribute("currencyID") {
        Some(code) if code != currency.code() => Err(amount.fault(EInvoiceError::CurrencyUnsuited)),
        _ => amount.number(),
    };
    let per = element.some("cbc:BaseQuantity")?.map(|per| read_per(&per, unit)).transpose()?;
    let discount = element.group("cac:AllowanceCharge", |discount| {
        let indicator = discount.one("cbc:ChargeIndicator")?;
        if indicator.as_boolean()? {
            return Err(indicator.fault(EInvoiceError::NotSupported));
        }
        let (amount, gross) = (discount.one("cbc:Amount")?, discount.one("cbc:BaseAmount")?);
        Ok(PriceDiscount { amount: in_currency(&amount)?, gross: in_currency(&gross)? })
    })?;
    let net = in_currency(&element.one("cbc:PriceAmount")?)?;
    Ok(Price { net, discount, per: per.unwrap_or(Quantity::ONE) })
}

/// How much a price is for, in the unit that is sold where it has one.
pub(crate) fn read_per(element: &Element, unit: Unit) -> Result<Quantity, Fault> {
    match element.attribute_as::<Unit>("unitCode")? {
        Some(other) if other != unit => Err(element.fault(EInvoiceError::Contradictory)),
        _ => element.number(),
    }
}

fn read_item(element: &mut Element) -> Result<(Item, Vat), Fault> {
    let standard_id = element.group("cac:StandardItemIdentification", |outer| {
        let id = outer.one("cbc:ID")?;
        Ok(StandardId { scheme: id.attribute_need("schemeID")?, value: id.parse()? })
    })?;
    let classes = element.groups("cac:CommodityClassification", |outer| {
        let code = outer.one("cbc:ItemClassificationCode")?;
        Ok(Class {
            list: code.attribute_need("listID")?,
            version: code.attribute_as("listVersionID")?,
            code: code.parse()?,
        })
    })?;
    let property = |one: &mut Element| Ok((one.need("cbc:Name")?, one.need("cbc:Value")?));
    let item = Item {
        name: element.need("cbc:Name")?,
        description: element.value("cbc:Description")?,
        seller_id: element.within("cac:SellersItemIdentification", "cbc:ID")?,
        buyer_id: element.within("cac:BuyersItemIdentification", "cbc:ID")?,
        standard_id,
        classes,
        origin: element.within("cac:OriginCountry", "cbc:IdentificationCode")?,
        properties: element.groups("cac:AdditionalItemProperty", property)?,
    };
    Ok((item, element.one("cac:ClassifiedTaxCategory")?.whole(read_vat)?))
}
