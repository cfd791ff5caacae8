//! Lines in CII.

use trato_pricing::{Quantity, UnitPrice};
use trato_types::Currency;

use super::settlement::{
    indicator, money, read_adjustment, read_indicator, read_period, read_vat, write_adjustment, write_period,
    write_vat,
};
use crate::{
    EInvoiceError,
    model::{Adjustment, Class, Item, Line, Price, PriceDiscount, StandardId, Unit},
    xml::{Element, Fault, Node},
};

pub(super) fn write_line(line: &Line, currency: Currency) -> Node<'_> {
    let note = Node::new("ram:IncludedNote").text_if("ram:Content", line.note.as_ref());
    let document =
        Node::new("ram:AssociatedDocumentLineDocument").text("ram:LineID", line.number.as_str()).add(note);
    let order = Node::new("ram:BuyerOrderReferencedDocument").text_if("ram:LineID", line.order_line.as_ref());
    let agreement = Node::new("ram:SpecifiedLineTradeAgreement")
        .add(order)
        .add_all(line.price.discount.map(|discount| write_gross(line, discount)))
        .add(write_price("ram:NetPriceProductTradePrice", line, line.price.net));
    let quantity =
        Node::leaf("ram:BilledQuantity", line.quantity.to_string()).attribute("unitCode", line.unit.as_str());
    let adjust = |is_charge| move |one: &Adjustment| write_adjustment(one, is_charge, currency);
    let sum = Node::new("ram:SpecifiedTradeSettlementLineMonetarySummation").add(money(
        "ram:LineTotalAmount",
        line.net,
        currency,
    ));
    let account = Node::new("ram:ReceivableSpecifiedTradeAccountingAccount")
        .text_if("ram:ID", line.buyer_account.as_ref());
    let settlement = Node::new("ram:SpecifiedLineTradeSettlement")
        .add(write_vat("ram:ApplicableTradeTax", line.vat))
        .add(write_period(line.period))
        .add_all(line.allowances.iter().map(adjust(false)))
        .add_all(line.charges.iter().map(adjust(true)))
        .add(sum)
        .add(account);
    Node::new("ram:IncludedSupplyChainTradeLineItem")
        .add(document)
        .add(write_item(&line.item))
        .add(agreement)
        .add(Node::new("ram:SpecifiedLineTradeDelivery").add(quantity))
        .add(settlement)
}

/// A price, which may have more decimals than the currency, with how much it is for.
fn write_price<'a>(name: &'static str, line: &'a Line, price: UnitPrice) -> Node<'a> {
    let per = (line.price.per != Quantity::ONE).then(|| {
        Node::leaf("ram:BasisQuantity", line.price.per.to_string()).attribute("unitCode", line.unit.as_str())
    });
    Node::new(name).text("ram:ChargeAmount", price.to_string()).add_all(per)
}

fn write_gross(line: &Line, discount: PriceDiscount) -> Node<'_> {
    let applied = Node::new("ram:AppliedTradeAllowanceCharge")
        .add(indicator(false))
        .text("ram:ActualAmount", discount.amount.to_string());
    write_price("ram:GrossPriceProductTradePrice", line, discount.gross).add(applied)
}

fn write_item(item: &Item) -> Node<'_> {
    let standard = item
        .standard_id
        .as_ref()
        .map(|id| Node::leaf("ram:GlobalID", id.value.as_str()).attribute("schemeID", id.scheme.as_str()));
    let properties = item.properties.iter().map(|(name, value)| {
        Node::new("ram:ApplicableProductCharacteristic")
            .text("ram:Description", name.as_str())
            .text("ram:Value", value.as_str())
    });
    let class = |class: &'_ Class| -> Node<'_> {
        let code = Node::leaf("ram:ClassCode", class.code.to_string())
            .attribute("listID", class.list.to_string())
            .attribute_if("listVersionID", class.version.as_ref().map(ToString::to_string));
        Node::new("ram:DesignatedProductClassification").add(code)
    };
    Node::new("ram:SpecifiedTradeProduct")
        .add_all(standard)
        .text_if("ram:SellerAssignedID", item.seller_id.as_ref())
        .text_if("ram:BuyerAssignedID", item.buyer_id.as_ref())
        .text("ram:Name", item.name.as_str())
        .text_if("ram:Description", item.description.as_ref())
        .add_all(properties)
        .add_all(item.classes.iter().map(class))
        .add(Node::new("ram:OriginTradeCountry").text_if("ram:ID", item.origin.as_ref()))
}

pub(super) fn read_line(element: &mut Element, currency: Currency) -> Result<Line, Fault> {
    let (number, note) = element.one("ram:AssociatedDocumentLineDocument")?.whole(|document| {
        Ok((document.need("ram:LineID")?, document.within("ram:IncludedNote", "ram:Content")?))
    })?;
    let quantity = element
        .one("ram:SpecifiedLineTradeDelivery")?
        .whole(|delivery| delivery.one("ram:BilledQuantity"))?;
    let unit = quantity.attribute_need("unitCode")?;
    let (order_line, price) = element.one("ram:SpecifiedLineTradeAgreement")?.whole(|agreement| {
        let order = agreement.within("ram:BuyerOrderReferencedDocument", "ram:LineID")?;
        Ok((order, read_price(agreement, unit)?))
    })?;
    let item = element.one("ram:SpecifiedTradeProduct")?.whole(read_item)?;
    element.one("ram:SpecifiedLineTradeSettlement")?.whole(|settlement| {
        let (mut allowances, mut charges) = (Vec::new(), Vec::new());
        let read = |one: &mut Element| read_adjustment(one, currency);
        for (is_charge, one) in settlement.groups("ram:SpecifiedTradeAllowanceCharge", read)? {
            if is_charge { charges.push(one) } else { allowances.push(one) }
        }
        let net = |sum: &mut Element| sum.amount_need("ram:LineTotalAmount", currency);
        Ok(Line {
            number,
            note,
            quantity: quantity.number()?,
            unit,
            net: settlement.one("ram:SpecifiedTradeSettlementLineMonetarySummation")?.whole(net)?,
            order_line,
            buyer_account: settlement.within("ram:ReceivableSpecifiedTradeAccountingAccount", "ram:ID")?,
            period: read_period(settlement)?,
            allowances,
            charges,
            price,
            vat: settlement.one("ram:ApplicableTradeTax")?.whole(read_vat)?,
            item,
        })
    })
}

/// The price and how much it is for, the latter in the unit that is sold.
fn read_one_price(element: &mut Element, unit: Unit) -> Result<(UnitPrice, Quantity), Fault> {
    let per = match element.some("ram:BasisQuantity")? {
        Some(per) => match per.attribute_as::<Unit>("unitCode")? {
            Some(other) if other != unit => return Err(per.fault(EInvoiceError::Contradictory)),
            _ => per.number()?,
        },
        None => Quantity::ONE,
    };
    Ok((element.one("ram:ChargeAmount")?.number()?, per))
}

fn read_price(element: &mut Element, unit: Unit) -> Result<Price, Fault> {
    let contradictory = element.fault(EInvoiceError::Contradictory);
    let (net, per) =
        element.one("ram:NetPriceProductTradePrice")?.whole(|price| read_one_price(price, unit))?;
    let gross = element.group("ram:GrossPriceProductTradePrice", |price| {
        let amount = price.group("ram:AppliedTradeAllowanceCharge", |applied| {
            if read_indicator(applied)? {
                return Err(applied.fault(EInvoiceError::NotSupported));
            }
            applied.one("ram:ActualAmount")?.number()
        })?;
        Ok((amount, read_one_price(price, unit)?))
    })?;
    let discount = match gross {
        None => None,
        // A gross price that is the net one says nothing else.
        Some((None, (gross, of_gross))) if gross == net && of_gross == per => None,
        Some((Some(amount), (gross, of_gross))) if of_gross == per => Some(PriceDiscount { amount, gross }),
        Some(_) => return Err(contradictory),
    };
    Ok(Price { net, discount, per })
}

fn read_item(element: &mut Element) -> Result<Item, Fault> {
    let standard_id = element
        .some("ram:GlobalID")?
        .map(|id| Ok(StandardId { scheme: id.attribute_need("schemeID")?, value: id.parse()? }));
    let property = |one: &mut Element| Ok((one.need("ram:Description")?, one.need("ram:Value")?));
    let class = |one: &mut Element| {
        let code = one.one("ram:ClassCode")?;
        Ok(Class {
            list: code.attribute_need("listID")?,
            version: code.attribute_as("listVersionID")?,
            code: code.parse()?,
        })
    };
    Ok(Item {
        name: element.need("ram:Name")?,
        description: element.value("ram:Description")?,
        seller_id: element.value("ram:SellerAssignedID")?,
        buyer_id: element.value("ram:BuyerAssignedID")?,
        standard_id: standard_id.transpose()?,
        classes: element.groups("ram:DesignatedProductClassification", class)?,
        origin: element.within("ram:OriginTradeCountry", "ram:ID")?,
        properties: element.groups("ram:ApplicableProductCharacteristic", property)?,
    })
}
