//! What is read to check credit: what is open of an account, and not all that it was ever invoiced.

use sqlx::{AssertSqlSafe, Row as _};

use crate::harness::Billing;

/// What is reserved for an account.
const RESERVED: &str = include_str!("../../sql/sum_reservations.sql");

/// Makes 5,000 of the one invoice: 1,000 more of its account, each of another order, and the others of 1,000 accounts of 50 tenants. Of
/// a tenant and an account, taken by themselves, one would expect next to nothing.
const MANY: &str = "do $$
declare
  others text;
begin
  select string_agg(quote_ident(attname), ', ') into others
  from pg_attribute
  where attrelid = 'invoice'::regclass and attnum > 0 and not attisdropped and attgenerated = ''
    and attname not in ('tenant_id', 'id', 'account', 'number', 'ordinal', 'source_document');
  execute format(
    'insert into invoice (tenant_id, id, account, number, ordinal, source_document, %1$s)
     select case when one <= 1000 then tenant_id else lpad(to_hex(one %% 50), 32, ''0'')::uuid end, gen_random_uuid(),
       case when one <= 1000 then account else lpad(to_hex(one %% 1000), 32, ''0'')::uuid end,
       ''M'' || one, 100 + one, ''orders/'' || one, %1$s
     from invoice, generate_series(1, 5000) as one', others);
end $$;
analyze invoice";

/// XTR-05: what of an order is invoiced is found by the order: however many invoices an account has, and however many orders
/// are open, none of these reads all of those.
#[tokio::test]
async fn what_is_invoiced_of_an_order_is_found_by_the_order() {
    let billing = Billing::start().await;
    let desk = billing.desk().await;
    billing.owed(&desk).await;
    billing.tamper(MANY, true).await.expect("there are many");
    let (tenant, account) = (billing.admin.tenant, desk.account.replace("accounts/", ""));
    let mut tx = billing.service.transaction(tenant).await;
    let run = |statement: String| sqlx::raw_sql(AssertSqlSafe(statement));

    let prepared = format!(
        "set local plan_cache_mode = force_generic_plan;
         prepare reserved (uuid, uuid, timestamptz) as {RESERVED}"
    );
    run(prepared).execute(tx.connection()).await.expect("it is prepared");
    let explained = format!("explain execute reserved ('{tenant}', '{account}', now())");
    let plan = run(explained).fetch_all(tx.connection()).await.expect("a plan");
    run("deallocate reserved".to_owned()).execute(tx.connection()).await.expect("it is forgotten");
    tx.roll_back().await.expect("nothing was written");

    let plan: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
    let plan = plan.join("\n");
    assert!(plan.contains("Index Scan using invoice_source_document_idx"), "{plan}");
}
