//! Records an answer on its way out: reads whose data it holds, and holds it back until its record has its place.

use std::{
    collections::BTreeSet,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::{Buf as _, Bytes};
use futures::{FutureExt as _, future::BoxFuture};
use tonic::Code;
use trato_types::{Error, Result};

use crate::{
    access::records::{Recorder, Visit},
    descriptors::subjects::Subjects,
};

/// The recording of one call.
pub(super) struct Recording {
    recorder: Recorder,
    visit: Visit,
    subjects: Arc<Subjects>,
    patience: Patience,
    held: Option<Held>,
}

/// How long an answer may be held back.
#[derive(Clone, Copy, Debug)]
pub(super) enum Patience {
    /// The answer in one piece, until then.
    Until(Instant),
    /// What a stream sends, each time for so long.
    Each(Duration),
}

struct Held {
    data: Bytes,
    recorded: BoxFuture<'static, Result<()>>,
}

impl Recording {
    pub(super) fn new(
        recorder: &Recorder,
        visit: Visit,
        subjects: &Arc<Subjects>,
        patience: Patience,
    ) -> Self {
        Self { recorder: recorder.clone(), visit, subjects: Arc::clone(subjects), patience, held: None }
    }

    /// Takes framed messages and has them recorded; `poll` gives them back.
    pub(super) fn hold(&mut self, data: Bytes) -> Result<()> {
        let resources = self.read(data.clone())?;
        let by = match self.patience {
            Patience::Until(by) => by,
            Patience::Each(patience) => Instant::now() + patience,
        };
        let recorded = match self.patience {
            // A stream that says nothing about anybody is not a visit yet.
            Patience::Each(_) if resources.is_empty() => std::future::ready(Ok(())).boxed(),
            _ => {
                let (recorder, visit) = (self.recorder.clone(), self.visit.clone());
                async move { recorder.record(&visit, Code::Ok, resources, by.into()).await }.boxed()
            }
        };
        self.held = Some(Held { data, recorded });
        Ok(())
    }

    /// What is held, once it may leave; `None` when nothing is held.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Option<Poll<Result<Bytes>>> {
        let held = self.held.as_mut()?;
        let Poll::Ready(recorded) = held.recorded.poll_unpin(cx) else { return Some(Poll::Pending) };
        let data = self.held.take().map(|held| held.data).unwrap_or_default();
        Some(Poll::Ready(recorded.map(|()| data)))
    }

    /// The names in one or more whole messages, which is what a server sends at once.
    fn read(&self, mut data: Bytes) -> Result<BTreeSet<String>> {
        let unreadable = || Error::internal("an answer that must be recorded cannot be read");
        let mut names = BTreeSet::new();
        while data.has_remaining() {
            let Some([0, length @ ..]) = data.first_chunk::<5>() else { return Err(unreadable()) };
            let end = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX).saturating_add(5);
            let message = data.get(5..end).ok_or_else(unreadable)?;
            self.subjects.read(message, &mut names).map_err(|_| unreadable())?;
            data.advance(end);
        }
        Ok(names)
    }
}
