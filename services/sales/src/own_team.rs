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

    /// Fills in the teams that are empty.
    pub async fn fill_in<'a>(
        &self,
        cx: &Context,
        teams: impl IntoIterator<Item = &'a mut String>,
    ) -> Result<()> {
        let mut empty = teams.into_iter().filter(|team| team.is_empty()).peekable();
        let Some(subject) = cx.actor.subject().filter(|_| empty.peek().is_some()) else { return Ok(()) };
        if let [team] = *self.directory.teams(cx.tenant, subject).await? {
            let name = Ref::<Team>::from_uuid(team).name();
            empty.for_each(|team| team.clone_from(&name));
        }
        Ok(())
    }
}
