//! The team of what somebody records without saying one: the caller's, where the caller is in exactly one.

use std::sync::Arc;

use trato_platform::{App, directory::Directory};
use trato_types::{Context, Ref, Result};

use crate::foreign::Team;

/// Knows who is in which team.
#[derive(Clone, Debug)]
pub struct OwnTeam {
    directory: Arc<Directory>,
}

impl OwnTeam {
    /// Asks the app's directory.
    pub fn new(app: &App) -> Self {
        Self { directory: app.directory.clone() }
    }

    /// Fills in those of these teams that are empty, of what is new: what is changed may be of no team.
    pub async fn fill_in(&self, cx: &Context, teams: Vec<&mut String>, are_new: bool) -> Result<()> {
        let is_open = are_new && teams.iter().any(|team| team.is_empty());
        let Some(subject) = cx.actor.subject().filter(|_| is_open) else { return Ok(()) };
        let own = self.directory.teams(cx.tenant, subject).await?;
        if let [own] = *own {
            let name = Ref::<Team>::from_uuid(own).name();
            teams.into_iter().filter(|team| team.is_empty()).for_each(|team| team.clone_from(&name));
        }
        Ok(())
    }
}
