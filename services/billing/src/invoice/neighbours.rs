//! What invoices refer to in other services: asked for before any transaction where nobody here has heard of it.

use tonic::{Request, Status};
use trato_platform::App;
use trato_proto::billing::v1 as pb;

use crate::foreign::{Accounts, Products};

/// Asks customers for accounts, and sales for products.
pub struct Neighbours {
    accounts: Accounts,
    products: Products,
}

impl Neighbours {
    /// Asks where the settings say that they are.
    pub fn new(app: &App) -> Self {
        Self { accounts: Accounts::new(app), products: Products::new(app) }
    }

    /// Finds out about all that these invoices of a request refer to.
    pub async fn learn<'a, R>(
        &self,
        request: &Request<R>,
        invoices: impl Iterator<Item = &'a pb::Invoice> + Clone,
    ) -> Result<(), Status> {
        let accounts = invoices.clone().map(|invoice| invoice.account.as_str());
        self.accounts.learn(request, "invoice.account", accounts).await?;
        let products = invoices.flat_map(|invoice| &invoice.lines).map(|line| line.product.as_str());
        self.products.learn(request, "invoice.lines.product", products).await
    }
}
