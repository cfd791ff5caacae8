//! From a call to its answer: the caller's context in, a status with details out.

use tonic::{Request, Response, Status};
use trato_types::{Context, Error, Result};

use crate::rpc::status::to_status;

/// What a handler answers.
pub type Reply<M> = std::result::Result<Response<M>, Status>;

/// Runs a handler's work with the caller's context, which the server's layers put there.
pub async fn answer<B, M>(request: Request<B>, work: impl AsyncFnOnce(&Context, B) -> Result<M>) -> Reply<M> {
    let (_, mut extensions, body) = request.into_parts();
    // A method that is reached without context was not guarded: a defect, never a default.
    let cx: Context =
        extensions.remove().ok_or_else(|| to_status(Error::internal("the call has no context")))?;
    work(&cx, body).await.map(Response::new).map_err(to_status)
}
