//! What is due as time passes: pauses that are too long, recordings that are, calls that nobody is in. Pure.

use std::time::Duration;

use jiff::Timestamp;

use crate::model::AtMaxPause;
use crate::model::EndReason;
use crate::model::Terms;
use crate::supervisor::Phase;
use crate::supervisor::core::Call;
use crate::supervisor::core::Core;
use crate::supervisor::core::Recording;
use crate::supervisor::input::Effect;
use crate::supervisor::input::Note;
use crate::supervisor::input::Now;

/// When a recording's limits are reached. The wall clock, which may be set, is asked once: how long it went before the
/// service was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    /// Its longest time.
    end_ns: i64,
    /// Its longest pause, if it is paused.
    pause_ns: Option<i64>,
}

impl Due {
    /// Returns when limits are reached of what began then, and is paused or not since then.
    pub(super) fn new(terms: &Terms, started_at: Timestamp, paused_since: Option<Timestamp>, now: Now) -> Self {
        let left = |since: Timestamp, limit: Duration| {
            let passed = Duration::try_from(now.wall.duration_since(since)).unwrap_or_default();
            after(now, limit.saturating_sub(passed))
        };
        let pause_ns = paused_since.map(|since| left(since, terms.max_pause));
        Self { end_ns: left(started_at, terms.max_duration), pause_ns }
    }

    /// It pauses, or goes on.
    pub(super) fn set_paused(&mut self, terms: &Terms, paused: bool, now: Now) {
        self.pause_ns = paused.then(|| after(now, terms.max_pause));
    }
}

fn after(now: Now, time: Duration) -> i64 {
    now.monotonic_ns.saturating_add(i64::try_from(time.as_nanos()).unwrap_or(i64::MAX))
}

impl Core {
    /// Keeps recordings and calls to their limits, to the second.
    pub(super) fn keep_limits(&mut self, now: Now) -> Vec<Effect> {
        let mut effects = Vec::new();
        let running = self.recordings.iter().filter(|(_, own)| own.phase == Phase::Recording);
        let due: Vec<_> = running.filter_map(|(id, own)| Some((*id, own.row.resource, due(own, now)?))).collect();
        for (id, resource, reached) in due {
            match reached {
                Reached::End(reason) => {
                    effects.push(Effect::Note(Note::Ends(id, reason)));
                    effects.extend(self.stop(id, reason, now));
                }
                Reached::Resume => {
                    effects.push(Effect::Note(Note::GoesOn(id)));
                    let resumed = self.set_paused(resource, id, false, now, &mut effects);
                    debug_assert!(resumed.is_ok(), "what runs can be resumed: {resumed:?}");
                }
            }
        }
        let timeout_ns = i64::try_from(self.policy.empty_timeout.as_nanos()).unwrap_or(i64::MAX);
        let is_empty = |call: &Call| call.empty_ns.is_some_and(|since| now.monotonic_ns - since >= timeout_ns);
        let empty: Vec<_> = self.calls.iter().filter(|(_, call)| is_empty(call)).map(|(id, _)| *id).collect();
        for id in empty {
            effects.push(Effect::Note(Note::Empty(id)));
            self.end_call(id, EndReason::NoParticipants, now, &mut effects);
        }
        effects
    }
}

/// What a limit does to a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reached {
    Resume,
    End(EndReason),
}

fn due(recording: &Recording, now: Now) -> Option<Reached> {
    let Due { end_ns, pause_ns } = recording.due;
    if end_ns <= now.monotonic_ns {
        return Some(Reached::End(EndReason::DurationReached));
    }
    pause_ns.filter(|until| *until <= now.monotonic_ns).map(|_| match recording.row.about.terms.at_max_pause {
        AtMaxPause::Resume => Reached::Resume,
        AtMaxPause::Stop => Reached::End(EndReason::PauseLimit),
    })
}
