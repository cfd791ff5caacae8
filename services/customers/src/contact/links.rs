//! How a contact is tied to accounts. Pure.

use trato_types::{Date, DomainError, Ref};

use crate::account::Account;

/// The accounts of a contact, in the order in which they were linked. Entries are ended and never removed. Of those
/// that are current, no two name one account, and exactly one is primary.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AccountLinks(Vec<AccountLink>);

/// What a contact is to an account, for a time.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AccountLink {
    /// The account.
    pub account: Ref<Account>,
    /// Part the contact plays there, when known.
    pub role: Option<Role>,
    /// True for the account the contact is filed under; never for an ended link.
    pub primary: bool,
    /// First day.
    pub start_date: Date,
    /// Last day; none while the link is current.
    pub end_date: Option<Date>,
}

/// Part a contact plays at an account.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// Decides.
    Decider,
    /// Evaluates.
    Evaluator,
    /// Influences.
    Influencer,
    /// Uses what is sold.
    User,
    /// Pays.
    Billing,
}

/// Most links of one contact, ended ones included.
pub const MAX_LINKS: usize = 100;

impl AccountLink {
    /// True until the link is ended.
    pub fn is_current(&self) -> bool {
        self.end_date.is_none()
    }
}

impl AccountLinks {
    /// Links that were stored.
    pub fn from_stored(links: Vec<AccountLink>) -> Self {
        Self(links)
    }

    /// All links, current and ended.
    pub fn iter(&self) -> impl Iterator<Item = &AccountLink> {
        self.0.iter()
    }

    /// Ties the contact to an account. The first current link is primary whatever is asked; a new primary one takes that
    /// over from the one before.
    pub fn link(&mut self, link: AccountLink) -> Result<(), ContactError> {
        if self.current(link.account).is_some() {
            return Err(ContactError::AlreadyLinked { account: link.account.name() });
        }
        if self.0.len() >= MAX_LINKS {
            return Err(ContactError::TooManyLinks);
        }
        let primary = link.primary || !self.0.iter().any(AccountLink::is_current);
        if primary {
            self.0.iter_mut().for_each(|other| other.primary = false);
        }
        self.0.push(AccountLink { primary, end_date: None, ..link });
        Ok(())
    }

    /// First day of the current link to an account.
    pub fn linked_since(&self, account: Ref<Account>) -> Result<Date, ContactError> {
        let current = self.current(account).map(|at| self.0[at].start_date);
        current.ok_or_else(|| ContactError::NotLinked { account: account.name() })
    }

    /// Ends the current link to an account. When it was primary, the oldest of the remaining ones takes that over.
    pub fn unlink(&mut self, account: Ref<Account>, end_date: Date) -> Result<(), ContactError> {
        let at = self.current(account).ok_or_else(|| ContactError::NotLinked { account: account.name() })?;
        self.0[at].end_date = Some(end_date);
        let was_primary = std::mem::take(&mut self.0[at].primary);
        let current = self.0.iter_mut().filter(|link| link.is_current());
        // Of equally old ones `min_by_key` takes the first.
        if let Some(oldest) = current.min_by_key(|link| link.start_date).filter(|_| was_primary) {
            oldest.primary = true;
        }
        Ok(())
    }

    fn current(&self, account: Ref<Account>) -> Option<usize> {
        self.0.iter().position(|link| link.account == account && link.is_current())
    }
}

/// Why something cannot be done with a contact.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ContactError {
    /// The contact has a current link to the account.
    #[error("the contact is linked to {account} already")]
    AlreadyLinked {
        /// Name of the account.
        account: String,
    },
    /// The contact has no current link to the account.
    #[error("the contact is not linked to {account}")]
    NotLinked {
        /// Name of the account.
        account: String,
    },
    /// The history is full.
    #[error("a contact has at most {MAX_LINKS} links, ended ones included")]
    TooManyLinks,
}

impl DomainError for ContactError {
    fn reason(&self) -> &'static str {
        match self {
            Self::AlreadyLinked { .. } => "ALREADY_LINKED",
            Self::NotLinked { .. } => "NOT_LINKED",
            Self::TooManyLinks => "TOO_MANY_LINKS",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn account(number: u128) -> Ref<Account> {
        Ref::from_uuid(uuid::Uuid::from_u128(number))
    }

    fn day_of(day: u32) -> Date {
        Date::from_ymd_opt(2026, 1, 1 + day % 28).expect("a day of January")
    }

    fn since(day: u32, account: Ref<Account>, primary: bool) -> AccountLink {
        AccountLink { account, role: None, primary, start_date: day_of(day), end_date: None }
    }

    fn primary(links: &AccountLinks) -> Vec<Ref<Account>> {
        links.iter().filter(|link| link.primary).map(|link| link.account).collect()
    }

    /// MDM-03: the first account of a contact is the one it is filed under, until another one is said to be.
    #[test]
    fn a_new_primary_link_takes_over_from_the_one_before() {
        let mut links = AccountLinks::default();

        links.link(since(1, account(1), false)).expect("linked");
        links.link(since(2, account(2), false)).expect("linked");
        assert_eq!(primary(&links), [account(1)]);

        links.link(since(3, account(3), true)).expect("linked");
        assert_eq!(primary(&links), [account(3)]);
    }

    /// MDM-03: links end rather than vanish.
    #[test]
    fn when_the_primary_link_ends_the_oldest_remaining_one_takes_over() {
        let mut links = AccountLinks::default();
        links.link(since(5, account(1), false)).expect("linked");
        links.link(since(9, account(2), false)).expect("linked");
        links.link(since(7, account(3), false)).expect("linked");

        links.unlink(account(1), day_of(10)).expect("unlinked");
        assert_eq!(primary(&links), [account(3)]);

        links.unlink(account(2), day_of(10)).expect("unlinked");
        assert_eq!(primary(&links), [account(3)]);
        links.unlink(account(3), day_of(10)).expect("unlinked");
        assert_eq!(primary(&links), []);
        assert_eq!(links.iter().count(), 3);
        assert!(links.iter().all(|link| link.end_date == Some(day_of(10))));
    }

    #[test]
    fn a_contact_is_linked_to_an_account_once_at_a_time() {
        let mut links = AccountLinks::default();
        links.link(since(1, account(1), false)).expect("linked");

        let again = links.link(since(2, account(1), false));
        assert!(matches!(again, Err(ContactError::AlreadyLinked { .. })), "{again:?}");
        let other = links.unlink(account(2), day_of(2));
        assert!(matches!(other, Err(ContactError::NotLinked { .. })), "{other:?}");

        links.unlink(account(1), day_of(2)).expect("unlinked");
        links.link(since(3, account(1), false)).expect("linked again");
        assert_eq!(links.iter().count(), 2);
        assert_eq!(links.linked_since(account(1)), Ok(day_of(3)));
    }

    #[test]
    fn a_history_of_links_is_bounded() {
        let mut links = AccountLinks::default();
        for _ in 0..MAX_LINKS {
            links.link(since(1, account(1), false)).expect("linked");
            links.unlink(account(1), day_of(2)).expect("unlinked");
        }

        assert_eq!(links.link(since(3, account(2), true)), Err(ContactError::TooManyLinks));
    }

    proptest! {
        /// MDM-03: whatever is linked and unlinked, one of the current links is primary, and history only grows.
        #[test]
        fn any_sequence_of_links_keeps_one_primary_and_all_history(
            steps in proptest::collection::vec((any::<bool>(), 0..6_u128, any::<bool>(), 0..28_u32), 0..60)
        ) {
            let mut links = AccountLinks::default();
            for (is_link, number, as_primary, day) in steps {
                let before = links.clone();
                let done = if is_link {
                    links.link(since(day, account(number), as_primary))
                } else {
                    links.unlink(account(number), day_of(day))
                };

                let current: Vec<&AccountLink> = links.iter().filter(|link| link.is_current()).collect();
                let primary = current.iter().filter(|link| link.primary).count();
                prop_assert_eq!(primary, usize::from(!current.is_empty()));
                prop_assert!(links.iter().filter(|link| !link.is_current()).all(|link| !link.primary));
                for (index, link) in current.iter().enumerate() {
                    prop_assert!(current[..index].iter().all(|other| other.account != link.account));
                }
                if done.is_err() {
                    prop_assert_eq!(&links, &before);
                }
                prop_assert_eq!(links.iter().count(), before.iter().count() + usize::from(done.is_ok() && is_link));
                for (old, new) in before.iter().zip(links.iter()) {
                    prop_assert_eq!((old.account, old.role, old.start_date), (new.account, new.role, new.start_date));
                    prop_assert!(old.is_current() || old == new, "an ended link never changes");
                }
            }
        }
    }
}
