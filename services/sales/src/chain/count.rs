//! How many chains stand still, for the alarm: counted over all tenants, and told by the process that counted last.

use std::time::Duration;

use trato_platform::{App, telemetry::metrics::metrics};
use trato_types::{Result, time::to_microseconds};

use super::{settings::stalled_after, store};

/// Name of the job.
pub const NAME: &str = "count-stalled-chains";
/// Time from one run to the next: what stands still for days is soon enough told in minutes.
pub const PERIOD: Duration = Duration::from_secs(300);
/// How long a count holds: another process may count next, and this one must not go on telling what it knew.
const VALID: Duration = Duration::from_secs(900);

/// One run of the job.
pub async fn run(app: App) -> Result<()> {
    let now = to_microseconds(chrono::Utc::now());
    let counts = store::count(&app.database, now, stalled_after(&app.loaded)?).await?;
    metrics().chains_stalled(&counts, VALID);
    Ok(())
}
