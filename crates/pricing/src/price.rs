//! Prices a document: lines, discounts, charges, taxes, totals. The same input gives the same answer in every service.

use trato_types::{Error, Minor, Result, Violations};

use crate::{
    Document, Priced, PricedLine, Prices, PricingError,
    check::check,
    discount::{Discounts, take_discounts},
    exact::sum,
    line::{LineAmount, part, price_line, shown},
    taxation::{Item, net_within, tax},
    totals::{tax_groups, totals, withheld_groups},
    trace::{Datum, Rule, Subject, Trace},
};

impl Document {
    /// Prices the document, or says everything that is wrong with it.
    pub fn price(&self) -> Result<Priced> {
        let faults = check(self);
        if !faults.is_empty() {
            return Err(faults.into_error());
        }
        let mut trace = Trace::new(self.currency);
        let mut faults = Violations::new();
        let mut lines = Vec::with_capacity(self.lines.len());
        for (at, line) in self.lines.iter().enumerate() {
            match price_line(line, self.currency, &mut trace) {
                Ok(line) => lines.push(line),
                Err(error) => faults.add(format!("lines[{at}]"), error.reason(), error.to_string()),
            }
        }
        if !faults.is_empty() {
            return Err(faults.into_error());
        }
        let discounts = take_discounts(self, &lines, &mut trace).map_err(|(at, error)| {
            Error::invalid(format!("discounts[{at}]"), error.reason(), error.to_string())
        })?;
        Ok(self.assemble(lines, discounts, trace)?)
    }

    fn assemble(
        &self,
        lines: Vec<LineAmount>,
        discounts: Discounts,
        mut trace: Trace,
    ) -> Result<Priced, PricingError> {
        let charges = self.charges(&discounts, &mut trace)?;
        let mut items: Vec<Item<'_>> = Vec::with_capacity(lines.len() + charges.len());
        items.extend(self.lines.iter().zip(&discounts.rest).map(|(line, rest)| Item {
            key: &line.key,
            amount: *rest,
            taxes: &line.taxes,
            withheld: &line.withheld,
        }));
        items.extend(self.charges.iter().zip(&charges).map(|(charge, amount)| Item {
            key: &charge.key,
            amount: *amount,
            taxes: &charge.taxes,
            withheld: &charge.withheld,
        }));
        let mut amounts = tax(&items, self.prices, self.tax_rounding, &mut trace)?;
        let charges = amounts.split_off(lines.len());
        let discount_nets = self.discount_nets(&discounts, &mut trace)?;

        let mut priced_lines = Vec::with_capacity(lines.len());
        let parts = lines.into_iter().zip(&self.lines).zip(amounts).zip(discounts.shares).zip(discount_nets);
        for ((((line, input), amounts), shares), discount_net) in parts {
            priced_lines.push(PricedLine {
                quantity: input.quantity,
                base: line.base,
                adjustments: line.adjustments,
                priced: line.priced,
                discounts: shares,
                line_net: sum([amounts.net, discount_net])?,
                discount_net,
                amounts,
            });
        }
        let groups = tax_groups(self, &priced_lines, &charges)?;
        let withheld = withheld_groups(priced_lines.iter().map(|line| &line.amounts).chain(&charges))?;
        let totals = totals(self, &priced_lines, &charges, &groups, &withheld, &mut trace)?;
        Ok(Priced {
            currency: self.currency,
            prices: self.prices,
            lines: priced_lines,
            charges,
            discounts: discounts.totals,
            groups,
            withheld,
            totals,
            trace,
        })
    }

    fn charges(&self, discounts: &Discounts, trace: &mut Trace) -> Result<Vec<Minor>, PricingError> {
        let lines = sum(discounts.rest.iter().copied())?;
        let mut amounts = Vec::with_capacity(self.charges.len());
        for charge in &self.charges {
            let amount = part(charge.value, lines)?;
            let inputs = [
                ("of", Datum::Money(lines)),
                ("value", shown(charge.value)),
                ("reason", Datum::text(&charge.reason)),
            ];
            trace.step(Rule::DocumentCharge, Subject::Line(charge.key.clone()), inputs, Datum::Money(amount));
            amounts.push(amount);
        }
        Ok(amounts)
    }

    /// What the discounts of the document take of each line without tax: EN 16931 shows lines before them.
    fn discount_nets(&self, discounts: &Discounts, trace: &mut Trace) -> Result<Vec<Minor>, PricingError> {
        let shares: Vec<Minor> =
            discounts.shares.iter().map(|shares| sum(shares.iter().copied())).collect::<Result<_, _>>()?;
        if self.prices == Prices::Net || self.discounts.is_empty() {
            return Ok(shares);
        }
        let items: Vec<Item<'_>> = self
            .lines
            .iter()
            .zip(&shares)
            .map(|(line, share)| Item {
                key: &line.key,
                amount: *share,
                taxes: &line.taxes,
                withheld: &line.withheld,
            })
            .collect();
        let nets = net_within(&items, self.tax_rounding)?;
        for (item, net) in items.iter().zip(&nets) {
            let inputs = [("discount", Datum::Money(item.amount))];
            trace.step(Rule::NetOfDiscount, Subject::Line(item.key.clone()), inputs, Datum::Money(*net));
        }
        Ok(nets)
    }
}
