//! What the database itself holds of what is left of an issued invoice: credits take from it, and nothing else is done to it.

use crate::{
    credit_note::{UNCREDITED, quantity},
    harness::Billing,
};

const NET: &str = "items,0,amounts,net";
const TAX: &str = "items,0,amounts,taxes,0,amount";
const GROSS: &str = "items,0,amounts,gross";

/// What is left with these values at these paths.
fn changed(values: &[(&str, &str)]) -> String {
    let put =
        |left: String, (path, value): &(&str, &str)| format!("jsonb_set({left}, '{{{path}}}', '{value}')");
    values.iter().fold("balance".to_owned(), put)
}

impl Billing {
    /// Issues an invoice of a machine at 100.00 and two gifts, and credits one of them.
    async fn credit_a_gift(&self) {
        let desk = self.desk().await;
        let series = self.credits(&desk).await;
        let invoice = self.with_gifts(&desk).await;
        self.credit(&invoice, vec![quantity("gift", "1")], &series).await.expect("credited");
    }

    /// The database refuses this change of the invoice, since it is no credit.
    async fn assert_uncredited(&self, change: &str) {
        let statement = format!("update invoice set {change}");
        let error = self.tamper(&statement, false).await.expect_err(change);
        assert!(error.to_string().contains(UNCREDITED), "{change}: {error}");
    }
}

/// DOC-06: where no amount is credited, the database itself lets quantities fall and nothing else change, neither by itself nor with
/// them; and what is credited is not voided.
#[tokio::test]
async fn the_database_lets_free_quantities_fall_and_nothing_else() {
    let billing = Billing::start().await;
    billing.credit_a_gift().await;

    for left in [
        changed(&[("items,1,quantity", r#""2""#)]),
        changed(&[("items,1,quantity", r#""1.000""#)]),
        changed(&[("items,1,quantity", r#""-1""#)]),
        "balance #- '{items,1}'".to_owned(),
        "'null'".to_owned(),
    ] {
        billing.assert_uncredited(&format!("balance = {left}")).await;
    }
    let fallen = ("items,1,quantity", r#""0""#);
    for change in [
        (NET, "1"),
        (GROSS, "1"),
        (TAX, "0"),
        ("items,0,amounts,key", r#""2""#),
        ("items,0,amounts,taxes,0,key,rate", r#""10""#),
        ("items,0,quantity", r#""2""#),
        ("items,1,amounts,net", "-1"),
        ("rounding", "1"),
        ("currency", r#""USD""#),
    ] {
        for left in [changed(&[change]), changed(&[fallen, change])] {
            billing.assert_uncredited(&format!("balance = {left}")).await;
        }
    }
    let void = "update invoice set state = 'VOID', void_time = now(), void_reason = 'Wrong'";
    let error = billing.tamper(void, false).await.expect_err("it is credited");
    assert!(error.to_string().contains("invoice_void_credited_check"), "{error}");
    let fallen = format!("update invoice set balance = {}", changed(&[fallen]));
    billing.tamper(&fallen, false).await.expect("a gift alone is given back");
}

/// DOC-06: where an amount is credited, the database itself wants it to be what is taken of what is left, with tax and of what is due;
/// and no amount of what is left to grow or to pass zero.
#[tokio::test]
async fn the_database_lets_amounts_fall_by_what_is_credited() {
    let billing = Billing::start().await;
    billing.credit_a_gift().await;
    let half = changed(&[(NET, "5000"), (TAX, "1050"), (GROSS, "6050")]);

    for values in [
        &[(NET, "5000"), (GROSS, "6050")][..],
        &[(NET, "3900"), (TAX, "2150"), (GROSS, "6050")],
        &[(NET, "6100"), (TAX, "-50"), (GROSS, "6050")],
    ] {
        let left = changed(values);
        billing.assert_uncredited(&format!("credited = 6050, credited_due = 6050, balance = {left}")).await;
    }
    for change in [
        format!("credited = 6000, credited_due = 6050, balance = {half}"),
        format!("credited = 6050, credited_due = 6000, balance = {half}"),
        format!("credited = 6050, balance = {half}"),
        "credited = 6050, credited_due = 6050".to_owned(),
        "credited_due = 6050".to_owned(),
    ] {
        billing.assert_uncredited(&change).await;
    }
    let credited = format!("update invoice set credited = 6050, credited_due = 6050, balance = {half}");
    billing.tamper(&credited, false).await.expect("half of the machine");
}
