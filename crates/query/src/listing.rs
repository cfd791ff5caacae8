//! One call of a list method: its filter, order and page, checked together and ready to be put into a statement.

use trato_types::{Result, Timestamp};
use uuid::Uuid;

use crate::{
    fault::{Fault, Faults, INVALID_PAGE_SIZE},
    field::Field,
    filter::Filter,
    order::{self, SortKey, behind, ranges},
    page::{Seal, issue, open},
    predicate::Predicate,
    sql::{Fragment, print, print_order},
    value::Value,
};

/// Rows of a page when the caller names no number.
pub const DEFAULT_PAGE_SIZE: i32 = 50;
/// Most rows of a page; who asks for more gets this many (AIP-158).
pub const MAX_PAGE_SIZE: i32 = 1000;

/// What a list method was asked, as it stands in the request.
#[derive(Clone, Copy, Debug)]
pub struct ListingRequest<'a> {
    /// The declared fields, such as `&[FIELDS, STANDARD]`; of two with one name the first counts.
    pub fields: &'a [&'static [Field]],
    /// AIP-160; see [`Filter`].
    pub filter: &'a str,
    /// AIP-132: `close_date desc, display_name`. Empty is by `id`, which is the order of creation.
    pub order_by: &'a str,
    /// 0 for the default; negative is refused.
    pub page_size: i32,
    /// Empty for the first page.
    pub page_token: &'a str,
    /// Everything else the rows depend on: tenant, method, parent, `show_deleted`. A token is good for the same
    /// parts in the same order only. A secret among them makes tokens impossible to forge.
    pub binding: &'a [&'a str],
    /// When the call began; tokens live [`TOKEN_DAYS`](crate::TOKEN_DAYS).
    pub now: Timestamp,
}

/// A checked list call.
///
/// Rows are ordered by the keys of `order_by`, nulls last in either direction, and then by `id` in the direction of the
/// last key. A page holds the rows behind the last one of the page before: a row that exists throughout and does not
/// change its sort keys is seen exactly once, whatever is inserted and deleted meanwhile.
#[derive(Clone, Debug)]
pub struct Listing {
    filter: Filter,
    keys: Vec<SortKey>,
    page_size: i32,
    after: Option<Vec<Option<Value>>>,
    seal: Seal,
    now: Timestamp,
}

/// Rows of a page that follow one another in an index.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Range {
    /// Which rows.
    pub condition: Fragment,
    /// The list to write after `order by` within the range.
    pub order: String,
}

impl Listing {
    /// Checks a request.
    ///
    /// # Errors
    /// INVALID_ARGUMENT naming the faults of `filter`, `order_by`, `page_size` and `page_token`; reasons are those of
    /// [`Filter::parse`], `INVALID_ORDER_BY`, `INVALID_PAGE_SIZE` and `INVALID_PAGE_TOKEN`.
    pub fn parse(request: &ListingRequest<'_>) -> Result<Self> {
        let mut faults = Faults::default();
        let filter = Filter::read(request.fields, request.filter, &mut faults);
        let keys = order::parse(request.fields, request.order_by).unwrap_or_else(|fault| {
            faults.add("order_by", request.order_by, fault);
            Vec::new()
        });
        if request.page_size < 0 {
            faults.add("page_size", "", Fault::whole(INVALID_PAGE_SIZE, "must not be negative"));
        }
        let page_size = match request.page_size {
            0 => DEFAULT_PAGE_SIZE,
            size => size.min(MAX_PAGE_SIZE),
        };
        // The order is bound as it is printed: a release that maps a field to another column makes old tokens useless.
        let order = print_order(&keys, "", 0);
        let seal = Seal::new(request.binding.iter().copied().chain([request.filter, &order]));
        let mut after = None;
        // A token can only be judged by a filter and an order that are right themselves.
        if faults.is_empty() && !request.page_token.is_empty() {
            match open(&seal, &keys, request.page_token, request.now) {
                Ok(values) => after = Some(values),
                Err(fault) => faults.add("page_token", "", fault),
            }
        }
        if !faults.is_empty() {
            return Err(faults.into_error());
        }
        Ok(Self { filter, keys, page_size, after, seal, now: request.now })
    }

    /// The condition on the table called `alias` (`""` for none): the filter, and behind which row the page begins.
    /// Its placeholders count up from `$first`; `true` when nothing is asked.
    pub fn condition(&self, alias: &'static str, first: usize) -> Fragment {
        print(&self.predicate(), alias, first)
    }

    /// The same rows in several ranges, in the order of the rows and without a row in common, so that a `union all` of
    /// them, each with its order and the limit, reads from an index exactly where the page begins. One condition cannot
    /// do that for a key that may be null or for mixed directions, where it costs the rows passed over. The placeholders
    /// count on from one range to the next.
    pub fn ranges(&self, alias: &'static str, first: usize) -> Vec<Range> {
        let ranges = match &self.after {
            None => order::whole(&self.keys),
            Some(values) => ranges(&self.keys, values),
        };
        let mut next = first;
        let place = |range: order::Range| {
            let condition = print(&self.filtered(range.predicate), alias, next);
            next += condition.values.len();
            Range { condition, order: print_order(&self.keys, alias, range.settled) }
        };
        ranges.into_iter().map(place).collect()
    }

    /// The list to write after `order by`.
    pub fn order_sql(&self, alias: &'static str) -> String {
        print_order(&self.keys, alias, 0)
    }

    /// Rows the caller is given at most.
    pub fn page_size(&self) -> usize {
        usize::try_from(self.page_size).unwrap_or_default()
    }

    /// Rows to read: one more than a page has, which tells whether there is a next one.
    pub fn limit(&self) -> i64 {
        i64::from(self.page_size) + 1
    }

    /// The keys whose values [`Listing::next_page_token`] needs, without the `id` that ends every order.
    pub fn sort_keys(&self) -> &[SortKey] {
        self.keys.split_last().map_or(&[], |(_, keys)| keys)
    }

    /// The filter alone.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// The token of the page behind the row with this `id` and these values of [`Listing::sort_keys`].
    pub fn next_page_token(&self, last_keys: &[Option<Value>], last_id: Uuid) -> String {
        debug_assert_eq!(last_keys.len(), self.sort_keys().len(), "a value for each sort key");
        let mut values = last_keys.to_vec();
        values.push(Some(Value::Uuid(last_id)));
        issue(&self.seal, &values, self.now)
    }

    pub(crate) fn predicate(&self) -> Predicate {
        match &self.after {
            None => self.filter.predicate().clone(),
            Some(values) => self.filtered(behind(&self.keys, values)),
        }
    }

    fn filtered(&self, page: Predicate) -> Predicate {
        match page {
            page if self.filter.is_empty() => page,
            Predicate::All(parts) if parts.is_empty() => self.filter.predicate().clone(),
            page => Predicate::All(vec![self.filter.predicate().clone(), page]),
        }
    }
}
