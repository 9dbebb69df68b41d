//! What was there before the service was killed, or ended: how it comes back, and how recordings go on. Pure.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use crate::catalog::About;
use crate::catalog::CallRow;
use crate::catalog::ParticipantRow;
use crate::catalog::RecordingRow;
use crate::catalog::RepeatRow;
use crate::catalog::Rows;
use crate::model::CallId;
use crate::model::EndReason;
use crate::model::RecordingId;
use crate::model::ResourceId;
use crate::session::Ledger;
use crate::storage::Left;
use crate::storage::Leftovers;
use crate::supervisor::CallName;
use crate::supervisor::Phase;
use crate::supervisor::core::Call;
use crate::supervisor::core::Core;
use crate::supervisor::core::Parts;
use crate::supervisor::core::Recording;
use crate::supervisor::core::Run;
use crate::supervisor::input::Effect;
use crate::supervisor::input::Joining;
use crate::supervisor::input::MemberKey;
use crate::supervisor::input::Now;

/// How long somebody of a call is waited for whose recordings were running.
const AWAIT: Duration = Duration::from_secs(30);

/// What a track keeps while nobody records it is no older.
const HEARD: Duration = Duration::from_secs(2);

/// What is said of a recording that a part is missing of.
pub(in crate::supervisor) const DAMAGED: &str = "a part of it cannot be read";

impl Core {
    /// Takes in what was saved before the service was started, and the parts that are left from then; returns what was
    /// left to be done. Whoever deletes what has expired in the meantime is told so as time passes.
    pub(in crate::supervisor) fn restore(&mut self, rows: Rows, left: &Leftovers, now: Now) -> Vec<Effect> {
        self.looked_ns = now.monotonic_ns;
        self.awaited_ns = now.monotonic_ns.saturating_add(AWAIT.as_nanos() as i64);
        // Nobody could end those of others.
        let configured = rows.calls.into_iter().filter(|row| self.resources.contains_key(&row.resource));
        configured.collect::<Vec<_>>().into_iter().for_each(|row| self.restore_call(row, now));
        let mut effects: Vec<_> = rows.participants.into_iter().filter_map(|row| self.rejoin(row)).collect();
        let mut parts: BTreeMap<RecordingId, Vec<&Left>> = BTreeMap::new();
        for part in &left.parts {
            parts.entry(RecordingId(part.ledger.opening.recording_id)).or_default().push(part);
        }
        parts.values_mut().for_each(|parts| parts.sort_by_key(|part| part.part));
        for row in rows.recordings {
            let parts = parts.remove(&row.id).unwrap_or_default();
            let is_damaged = left.damaged.contains(&row.id);
            self.restore_recording(row, &parts, is_damaged, now);
        }
        for (id, parts) in parts {
            let row = parts.first().and_then(|first| adopted(id, &first.ledger));
            let row = row.filter(|row| self.resources.contains_key(&row.resource));
            row.into_iter().for_each(|row| self.restore_recording(row, &parts, left.damaged.contains(&id), now));
        }
        for row in rows.chunks {
            if let Some(recording) = self.recordings.get_mut(&row.recording) {
                self.documents.insert(row.id, row.recording);
                recording.chunks.push(row);
            }
        }
        let keyed = |row: RepeatRow| ((row.resource, row.id.clone()), row);
        self.repeated.extend(rows.repeats.into_iter().map(keyed));
        let all: Vec<_> = self.recordings.keys().copied().collect();
        effects.extend(all.into_iter().flat_map(|id| self.end_if_stored(id, now)));
        effects.extend(rows.deletions.into_iter().map(Effect::Delete));
        effects
    }

    fn restore_call(&mut self, CallRow { id, resource, names, created_at }: CallRow, now: Now) {
        let names: Vec<_> = names.into_iter().filter_map(|name| CallName::kept(&name.kind, name.name)).collect();
        self.names.extend(names.iter().map(|name| ((resource, name.clone()), id)));
        let (participants, recordings) = (Vec::new(), Vec::new());
        let empty_ns = Some(now.monotonic_ns);
        self.calls.insert(id, Call { resource, names, created_at, participants, recordings, empty_ns });
    }

    /// Somebody is heard at the same port as before.
    fn rejoin(&mut self, row: ParticipantRow) -> Option<Effect> {
        let ParticipantRow { call, id, display_name, track: settings, port, joined_at } = row;
        self.calls.get(&call)?;
        let joining = Joining { call, key: self.next_key(), id, display_name, settings, joined_at };
        Some(Effect::OpenTrack { token: None, port: Some(port), joining })
    }

    fn restore_recording(&mut self, mut row: RecordingRow, parts: &[&Left], is_damaged: bool, now: Now) {
        let last = parts.last();
        let is_over = last.is_some_and(|part| part.ledger.end.is_some() || part.ledger.failure.is_some());
        let call = self.calls.get_mut(&row.call).filter(|_| row.end.is_none());
        // What has no part was put back without what ran: nobody knows how its chunks were counted.
        let is_known = last.is_some() && !is_damaged;
        let goes_on = call.is_some() && row.stopping.is_none() && !is_over && is_known;
        let phase = match (&row.end, goes_on) {
            (Some(_), _) => Phase::Ended,
            (None, true) => Phase::Recording,
            (None, false) => Phase::Stopping,
        };
        if let Some(call) = call {
            call.recordings.push(row.id);
        }
        // The catalog is behind where it could not be written. In doubt nothing is recorded.
        if let Some((paused, at)) = parts.iter().rev().find_map(|part| paused_by(&part.ledger))
            && (at, paused) > (row.paused_at, row.paused)
        {
            (row.paused, row.paused_at) = (paused, at);
        }
        // What the last part says first: one that was killed at once says nothing.
        for pin in parts.iter().rev().flat_map(|part| channels(&part.ledger)) {
            if row.pins.iter().all(|(name, channel)| *name != pin.0 && *channel != pin.1) {
                row.pins.push(pin);
            }
        }
        let (id, run) = (row.id, if goes_on { Run::Awaited } else { Run::Over });
        let parts = Parts {
            n_begun: last.map_or(0, |part| part.part + 1),
            awaited: parts.iter().map(|part| part.part).collect(),
            kept: BTreeSet::new(),
            n_chunks: parts.iter().map(|part| part.n_chunks).max().unwrap_or(0),
            last: None,
        };
        let error = is_damaged.then(|| DAMAGED.to_owned());
        let recording = Recording { parts, error, ..Recording::new(row, phase, run, now) };
        self.recordings.insert(id, recording);
    }

    /// Returns whether a recording is known.
    pub(in crate::supervisor) fn knows(&self, id: RecordingId) -> bool {
        self.recordings.contains_key(&id)
    }

    /// Returns whether it matters who is heard.
    pub(in crate::supervisor) fn is_awaiting(&self) -> bool {
        self.recordings.values().any(|recording| recording.run == Run::Awaited)
    }

    /// Lets recordings go on whose calls do.
    pub(super) fn heard(&mut self, members: &BTreeSet<MemberKey>, now: Now) -> Vec<Effect> {
        let earliest_ns = now.monotonic_ns.saturating_sub(HEARD.as_nanos() as i64);
        // Since then they were not heard, or it is for how long they are kept.
        let at_ns = std::mem::replace(&mut self.looked_ns, now.monotonic_ns).max(earliest_ns);
        let is_heard = |call: CallId| {
            let participants = self.calls.get(&call).map(|call| &call.participants[..]).unwrap_or_default();
            participants.iter().any(|participant| members.contains(&participant.member.key))
        };
        let awaited = self.recordings.iter().filter(|(_, recording)| recording.run == Run::Awaited);
        let heard: Vec<_> = awaited.filter(|(_, recording)| is_heard(recording.row.call)).map(|(id, _)| *id).collect();
        heard.into_iter().filter_map(|id| self.begin(id, at_ns)).collect()
    }

    /// Ends recordings that do not go on.
    pub(super) fn await_no_longer(&mut self, now: Now) -> Vec<Effect> {
        if now.monotonic_ns < self.awaited_ns {
            return Vec::new();
        }
        let mut over = Vec::new();
        for (id, recording) in &mut self.recordings {
            if recording.run == Run::Awaited {
                recording.run = Run::Over;
                recording.advance(Phase::Stopping);
                // For the next process, if this one is killed before all is stored.
                recording.row.stopping = Some(EndReason::Recovered);
                over.push((*id, recording.save()));
            }
        }
        over.into_iter().flat_map(|(id, save)| [vec![save], self.end_if_stored(id, now)].concat()).collect()
    }
}

/// Returns what is known of a recording that the catalog does not know: nobody was told that it had begun, and it does
/// not go on.
fn adopted(id: RecordingId, ledger: &Ledger) -> Option<RecordingRow> {
    let opening = &ledger.opening;
    Some(RecordingRow {
        id,
        resource: ResourceId(opening.owner.as_ref()?.resource),
        call: CallId(opening.call_id),
        graph: opening.graph.clone(),
        pins: Vec::new(),
        started_at: opening.started_at,
        paused: false,
        paused_at: opening.started_at,
        about: About::default(),
        stopping: Some(EndReason::Recovered),
        end: None,
    })
}

/// Returns whether a part was paused at its end, and since when it was, or was not.
fn paused_by(ledger: &Ledger) -> Option<(bool, Timestamp)> {
    let (from, to) = ledger.edges.last()?;
    let at = ledger.opening.started_at.checked_add(to.unwrap_or(*from)).ok()?;
    Some((to.is_none(), at))
}

/// Returns who had which channel.
fn channels(ledger: &Ledger) -> Vec<(String, u32)> {
    let channels = ledger.map.channels.iter().zip(0..).filter_map(|(number, channel)| Some(((*number)?, channel)));
    channels.filter_map(|(number, channel)| Some((ledger.participants.get(&number)?.name.clone(), channel))).collect()
}
