//! Recordings: how they begin, change and end. Pure.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use crate::catalog::About;
use crate::catalog::ChunkRow;
use crate::catalog::EndRow;
use crate::catalog::RecordingRow;
use crate::catalog::RepeatRow;
use crate::catalog::Update;
use crate::config::ResourceSettings;
use crate::model::CallId;
use crate::model::EndReason;
use crate::model::RecordingId;
use crate::model::ResourceId;
use crate::supervisor::Answer;
use crate::supervisor::AskedTerms;
use crate::supervisor::AutoRecord;
use crate::supervisor::CallName;
use crate::supervisor::Phase;
use crate::supervisor::Refusal;
use crate::supervisor::Repeat;
use crate::supervisor::StartAsk;
use crate::supervisor::WhichCall;
use crate::supervisor::core::Core;
use crate::supervisor::core::Outcome;
use crate::supervisor::core::Participant;
use crate::supervisor::core::Recording;
use crate::supervisor::core::Run;
use crate::supervisor::core::pin_of;
use crate::supervisor::core::saved;
use crate::supervisor::input::Begin;
use crate::supervisor::input::Change;
use crate::supervisor::input::Effect;
use crate::supervisor::input::Member;
use crate::supervisor::input::Note;
use crate::supervisor::input::Now;
use crate::supervisor::input::Token;

/// How long files are kept of a resource that is not configured any more.
const RETENTION: Duration = Duration::from_secs(24 * 3_600);

impl Core {
    pub(super) fn start(
        &mut self,
        token: Option<Token>,
        resource: ResourceId,
        start: StartAsk,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<Option<Answer>, Refusal> {
        let StartAsk { call: which, alone, graph, pins, paused, terms, rule, repeat } = start;
        if let Some(answer) = self.repeated(token, resource, repeat.as_ref()) {
            return answer;
        }
        if self.is_short {
            // What there is belongs to those that run.
            return Err(Refusal::NoCapacity("the disk is nearly full".to_owned()));
        }
        let limit = self.resources.get(&resource).ok_or(Refusal::UnknownCall)?.recordings_max;
        let call = self.call_to_record(resource, which, alone, limit, now, effects)?;
        let terms = terms.complete(&self.policy.terms);
        let id = RecordingId::new();
        let asked_as = repeat.as_ref().map(|Repeat { id, .. }| id.clone());
        if let Some(Repeat { id: request, body }) = repeat {
            let row = RepeatRow { resource, id: request.clone(), body, recording: id, at: now.wall };
            self.repeated.insert((resource, request), row);
        }
        let about = About { call_key: self.key_of(call), people: BTreeSet::new(), terms, rule };
        let (started_at, paused_at, stopping, end) = (now.wall, now.wall, None, None);
        let row = RecordingRow { id, resource, call, graph, pins, started_at, paused, paused_at, about, stopping, end };
        let new = Recording::new(row, Phase::Starting, Run::Beginning, now);
        self.recordings.insert(id, Recording { asked_as, waiting: token.into_iter().collect(), ..new });
        if let Some(call) = self.calls.get_mut(&call) {
            call.recordings.push(id);
        }
        effects.extend(self.begin(id, now.monotonic_ns));
        if token.is_some() {
            // The call may be new.
            self.auto_record(resource, call, now, effects);
        }
        Ok(None)
    }

    /// Lets a part of a recording begin, with everybody who is in its call.
    pub(super) fn begin(&mut self, id: RecordingId, at_ns: i64) -> Option<Effect> {
        let recording = self.recordings.get_mut(&id)?;
        let region = self.resources.get(&recording.row.resource)?.region.clone();
        let participants = self.calls.get(&recording.row.call)?.participants.iter();
        let pinned = |participant: &Participant| {
            let pin = pin_of(&recording.row.pins, &participant.member.id);
            Member { pin, ..participant.member.clone() }
        };
        let members: Vec<_> = participants.map(pinned).collect();
        recording.members = members.iter().map(|member| member.key).collect();
        for member in &members {
            recording.row.about.add(&member.id);
        }
        // What was said in a pause before it begins is not heard.
        let at_ns = at_ns.max(recording.changed_ns);
        (recording.started_ns, recording.changed_ns) = (at_ns, at_ns);
        recording.run = Run::Beginning;
        Some(Effect::Begin(Begin {
            recording: id,
            part: recording.parts.n_begun,
            first_chunk: recording.parts.n_chunks,
            resource: recording.row.resource,
            region,
            call: recording.row.call,
            graph: recording.row.graph.clone(),
            members,
            paused: recording.row.paused,
            pins: recording.row.pins.iter().map(|(_, channel)| *channel).collect(),
            at_ns,
        }))
    }

    /// Returns the call of a name if it may be recorded now.
    fn call_to_record(
        &mut self,
        resource: ResourceId,
        which: WhichCall,
        alone: bool,
        recordings_max: usize,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<CallId, Refusal> {
        let known = match &which {
            WhichCall::Id(id) => Some(self.call(resource, *id).map(|_| *id)?),
            WhichCall::Named(name) => self.names.get(&(resource, name.clone())).copied(),
        };
        // What a rule records is beside what anybody asks for.
        let is_asked = |own: &Recording| own.phase < Phase::Stopping && own.row.about.rule.is_none();
        let is_on = |id: &RecordingId| self.recordings.get(id).is_some_and(is_asked);
        let of_call = known.and_then(|call| self.calls.get(&call));
        if alone && of_call.is_some_and(|call| call.recordings.iter().any(is_on)) {
            return Err(Refusal::AlreadyRecording);
        }
        if known.is_none() && !self.policy.creates_on_start {
            return Err(Refusal::UnknownCall);
        }
        let running = self.recordings.values().filter(|own| own.row.resource == resource && own.phase < Phase::Ended);
        if running.count() >= recordings_max {
            return Err(Refusal::TooMany("recordings at a time"));
        }
        match (known, which) {
            (Some(call), _) => Ok(call),
            (None, WhichCall::Named(name)) => self.create_call(resource, vec![name], now, effects),
            (None, WhichCall::Id(_)) => Err(Refusal::UnknownCall),
        }
    }

    /// Starts what a call is recorded as without anybody asking, unless it is so already. What cannot be started is
    /// told in the log, and tried again when somebody comes.
    pub(super) fn auto_record(&mut self, resource: ResourceId, id: CallId, now: Now, effects: &mut Vec<Effect>) {
        let Some(call) = self.calls.get(&id) else { return };
        let rules = self.policy.auto_record.iter().filter(|rule| rule.is_for(resource, &call.names));
        let due: Vec<_> = rules.filter(|rule| !self.has_recorded(id, rule)).cloned().collect();
        for AutoRecord { name, graph, tags, .. } in due {
            let terms = AskedTerms { tags, ..AskedTerms::default() };
            let (call, pins, rule) = (WhichCall::Id(id), Vec::new(), Some(name.clone()));
            let start = StartAsk { call, alone: false, graph, pins, paused: false, terms, rule, repeat: None };
            if let Err(refusal) = self.start(None, resource, start, now, effects) {
                effects.push(Effect::Note(Note::NotRecorded { call: id, rule: name, refusal }));
            }
        }
    }

    /// Returns whether a call is recorded as a rule says, or was until somebody did not want it any more.
    fn has_recorded(&self, call: CallId, rule: &AutoRecord) -> bool {
        self.recordings.values().filter(|own| own.row.call == call).any(|own| {
            let is_on = own.phase < Phase::Stopping;
            let lost = [EndReason::Recovered, EndReason::Failed, EndReason::Drained];
            let RecordingRow { graph, about, stopping, end, .. } = &own.row;
            let is_lost = stopping.or(end.as_ref().map(|end| end.reason)).is_some_and(|end| lost.contains(&end));
            (is_on && *graph == rule.graph) || (about.rule.as_ref() == Some(&rule.name) && !is_lost)
        })
    }

    fn key_of(&self, call: CallId) -> Option<String> {
        let names = self.calls.get(&call)?.names.iter();
        names.filter(|name| matches!(name, CallName::Key(_))).map(|name| name.text().to_owned()).next()
    }

    /// Answers a request that was made before; None where it was not.
    fn repeated(
        &mut self,
        token: Option<Token>,
        resource: ResourceId,
        repeat: Option<&Repeat>,
    ) -> Option<Result<Option<Answer>, Refusal>> {
        let Repeat { id, body } = repeat?;
        let before = self.repeated.get(&(resource, id.clone()))?;
        if before.body != *body {
            return Some(Err(Refusal::RequestDiffers));
        }
        let id = before.recording;
        Some(match self.recordings.get_mut(&id) {
            Some(recording) if recording.phase == Phase::Starting => {
                recording.waiting.extend(token);
                Ok(None)
            }
            // Also where it has ended since, and its files are gone.
            _ => Ok(Some(self.started(id))),
        })
    }

    pub(super) fn begun(&mut self, id: RecordingId, begun: Result<(), Refusal>, now: Now) -> Vec<Effect> {
        let Some(recording) = self.recordings.get_mut(&id) else { return Vec::new() };
        if let Err(refusal) = begun {
            return self.not_begun(id, &refusal, now);
        }
        recording.run = Run::On;
        recording.parts.awaited.insert(recording.parts.n_begun);
        recording.parts.n_begun += 1;
        recording.advance(if recording.row.stopping.is_some() { Phase::Stopping } else { Phase::Recording });
        let asked_as = recording.asked_as.take().map(|name| (recording.row.resource, name));
        // Before anybody is told.
        let mut effects = vec![recording.save()];
        let (waiting, mut deferred) = (std::mem::take(&mut recording.waiting), std::mem::take(&mut recording.deferred));
        effects.extend(waiting.into_iter().map(|token| Effect::Answer(token, Ok(self.started(id)))));
        effects.append(&mut deferred);
        let repeat = asked_as.and_then(|key| self.repeated.get(&key)).cloned();
        effects.extend(repeat.map(|row| Effect::Save(Update::Repeat(row))));
        effects
    }

    fn started(&self, id: RecordingId) -> Answer {
        Answer::Started(id, self.recordings.get(&id).map(|recording| Box::new(self.view(recording))))
    }

    fn not_begun(&mut self, id: RecordingId, refusal: &Refusal, now: Now) -> Vec<Effect> {
        let Some(recording) = self.recordings.get_mut(&id) else { return Vec::new() };
        if recording.phase > Phase::Starting {
            // It is tried again for as long as it is waited for; what was to happen to it has been noted.
            recording.deferred.clear();
            recording.error.get_or_insert(refusal.to_string());
            recording.run = if recording.row.stopping.is_some() { Run::Over } else { Run::Awaited };
            return self.end_if_stored(id, now);
        }
        let waiting = std::mem::take(&mut recording.waiting).into_iter();
        let effects = waiting.map(|token| Effect::Answer(token, Err(refusal.clone()))).collect();
        let (call, key) = (recording.row.call, recording.asked_as.take().map(|name| (recording.row.resource, name)));
        self.recordings.remove(&id);
        // Who asks again shall have it tried again.
        key.and_then(|key| self.repeated.remove(&key));
        if let Some(call) = self.calls.get_mut(&call) {
            call.recordings.retain(|other| *other != id);
        }
        effects
    }

    /// Lets something happen to a recording, behind all that was decided before; None where it has to begin first.
    pub(super) fn change(&mut self, id: RecordingId, at_ns: i64, change: Change) -> Option<Effect> {
        let recording = self.recordings.get_mut(&id).filter(|recording| recording.phase < Phase::Stopping)?;
        let at_ns = at_ns.max(recording.changed_ns + 1);
        if recording.run == Run::Awaited {
            // It begins with everybody who is there then, and not before it was last paused or resumed.
            if matches!(change, Change::Pause | Change::Resume) {
                recording.changed_ns = at_ns;
            }
            return None;
        }
        recording.changed_ns = at_ns;
        let effect = Effect::Change { recording: id, at_ns, change };
        if recording.run == Run::Beginning {
            recording.deferred.push(effect);
            return None;
        }
        Some(effect)
    }

    pub(super) fn set_paused(
        &mut self,
        resource: ResourceId,
        id: RecordingId,
        paused: bool,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<Answer, Refusal> {
        let recording = self.recordings.get_mut(&id).filter(|recording| recording.row.resource == resource);
        let recording = recording.ok_or(Refusal::UnknownRecording)?;
        match recording.phase {
            Phase::Recording => (),
            Phase::Stopping => return Err(Refusal::Stopping),
            Phase::Starting | Phase::Ended => return Err(Refusal::UnknownRecording),
        }
        if std::mem::replace(&mut recording.row.paused, paused) != paused {
            // Also where the clock was set back.
            recording.row.paused_at = now.wall.max(recording.row.paused_at + jiff::SignedDuration::from_micros(1));
            recording.due.set_paused(&recording.row.about.terms, paused, now);
            effects.push(recording.save());
            let change = if paused { Change::Pause } else { Change::Resume };
            effects.extend(self.change(id, now.monotonic_ns, change));
        }
        Ok(Answer::Done)
    }

    /// Stops a recording; the first who does says why.
    pub(super) fn stop(&mut self, id: RecordingId, reason: EndReason, now: Now) -> Vec<Effect> {
        let is_on = |own: &&mut Recording| own.phase < Phase::Stopping && own.row.stopping.is_none();
        let Some(recording) = self.recordings.get_mut(&id).filter(is_on) else { return Vec::new() };
        recording.row.stopping = Some(reason);
        let stop = Effect::Stop { recording: id, at_ns: now.monotonic_ns.max(recording.changed_ns + 1), reason };
        if recording.phase == Phase::Starting {
            recording.deferred.push(stop);
            return Vec::new();
        }
        recording.advance(Phase::Stopping);
        let mut effects = vec![recording.save()];
        match recording.run {
            Run::On => effects.push(stop),
            Run::Beginning => recording.deferred.push(stop),
            Run::Awaited | Run::Over => {
                recording.run = Run::Over;
                effects.extend(self.end_if_stored(id, now));
            }
        }
        effects
    }

    /// All of a part is stored, or will never be.
    pub(super) fn part_ended(
        &mut self,
        id: RecordingId,
        chunks: Vec<ChunkRow>,
        outcome: Outcome,
        now: Now,
    ) -> Vec<Effect> {
        let Some(recording) = self.recordings.get_mut(&id) else {
            // Its time was over in the meantime.
            let doomed = |chunk: ChunkRow| [Effect::Save(Update::ChunkDoomed(chunk.id)), Effect::Delete(chunk.id)];
            return chunks.into_iter().flat_map(doomed).chain([Effect::Discard(id)]).collect();
        };
        let is_new = |chunk: &ChunkRow| recording.chunks.iter().all(|known| known.id != chunk.id);
        let chunks: Vec<_> = chunks.into_iter().filter(is_new).collect();
        recording.chunks.extend_from_slice(&chunks);
        recording.chunks.sort_by_key(|chunk| chunk.index);
        recording.parts.awaited.remove(&outcome.part);
        match outcome.is_whole {
            true => recording.parts.kept.remove(&outcome.part),
            false => recording.parts.kept.insert(outcome.part),
        };
        if recording.phase == Phase::Ended {
            return self.stored_later(id, chunks, now);
        }
        if recording.run == Run::On && outcome.part + 1 == recording.parts.n_begun {
            recording.run = Run::Over;
        }
        let Outcome { part, reason, error, is_whole: _ } = outcome;
        if recording.parts.last.is_none_or(|(last, _)| last < part) {
            recording.parts.last = Some((part, reason));
        }
        recording.error = recording.error.take().or(error);
        self.end_if_stored(id, now)
    }

    /// What could not be stored before a recording ended is: it is kept for as long as what was.
    fn stored_later(&mut self, id: RecordingId, chunks: Vec<ChunkRow>, now: Now) -> Vec<Effect> {
        self.documents.extend(chunks.iter().map(|chunk| (chunk.id, id)));
        let mut effects = Vec::new();
        if let Some(recording) = self.recordings.get_mut(&id).filter(|_| !chunks.is_empty()) {
            let expires_at = expiry(&self.resources, recording.row.resource, now.wall);
            recording.row.end.iter_mut().for_each(|end| end.expires_at = expires_at);
            effects.push(recording.save());
        }
        effects.extend(chunks.into_iter().map(|chunk| Effect::Save(Update::Chunk(chunk))));
        effects.push(Effect::Discard(id));
        effects
    }

    /// Ends a recording that nothing is missing of any more.
    pub(super) fn end_if_stored(&mut self, id: RecordingId, now: Now) -> Vec<Effect> {
        let is_stored =
            |own: &&mut Recording| own.run == Run::Over && own.parts.awaited.is_empty() && own.row.end.is_none();
        let Some(recording) = self.recordings.get_mut(&id).filter(is_stored) else { return Vec::new() };
        let expires_at = expiry(&self.resources, recording.row.resource, now.wall);
        let nothing = || recording.parts.last.is_none().then(|| "nothing of it is there".to_owned());
        let error = recording.error.clone().or_else(nothing);
        let told = recording.parts.last.map_or(EndReason::Recovered, |(_, reason)| reason);
        // Who was asked to end it and was killed has been asked all the same.
        let reason = recording.row.stopping.filter(|_| told == EndReason::Recovered).unwrap_or(told);
        recording.advance(Phase::Ended);
        recording.row.end = Some(EndRow { reason, error, ready_at: now.wall, expires_at });
        self.documents.extend(recording.chunks.iter().map(|chunk| (chunk.id, id)));
        let saved = saved::updates(recording);
        if let Some(call) = self.calls.get_mut(&recording.row.call) {
            call.recordings.retain(|other| *other != id);
        }
        saved.into_iter().map(Effect::Save).chain([Effect::Discard(id)]).collect()
    }
}

/// Returns when files go that are ready now.
pub(in crate::supervisor) fn expiry(
    resources: &BTreeMap<ResourceId, ResourceSettings>,
    resource: ResourceId,
    ready_at: Timestamp,
) -> Timestamp {
    let retention = resources.get(&resource).map_or(RETENTION, |settings| settings.retention);
    ready_at.checked_add(retention).unwrap_or(Timestamp::MAX)
}
