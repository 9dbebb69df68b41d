//! The decisions about calls and recordings. Pure: what has happened, and when, are arguments.
//!
//! ```text
//!  Starting ──begun──► Recording ──stop, call ended, failure──► Stopping ──all is stored──► Ended ──retention──► gone
//! ```

mod calls;
mod saved;

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use jiff::Timestamp;

use crate::catalog::EndRow;
use crate::catalog::RepeatRow;
use crate::catalog::Update;
use crate::config::ResourceSettings;
use crate::model::CallId;
use crate::model::ChunkId;
use crate::model::EndReason;
use crate::model::RecordingId;
use crate::model::ResourceId;
use crate::supervisor::Answer;
use crate::supervisor::Ask;
use crate::supervisor::CallName;
use crate::supervisor::ChunkView;
use crate::supervisor::DocumentView;
use crate::supervisor::Phase;
use crate::supervisor::RecordingView;
use crate::supervisor::Refusal;
use crate::supervisor::Repeat;
use crate::supervisor::StartAsk;
use crate::supervisor::input::Begin;
use crate::supervisor::input::Change;
use crate::supervisor::input::Effect;
use crate::supervisor::input::Input;
use crate::supervisor::input::Member;
use crate::supervisor::input::MemberKey;
use crate::supervisor::input::Now;
use crate::supervisor::input::Token;

/// How long a request may be made again.
const REPEAT: Duration = Duration::from_secs(24 * 3_600);

#[derive(Debug)]
struct Participant {
    member: Member,
    address: SocketAddr,
    joined_ns: i64,
}

#[derive(Debug)]
struct Call {
    resource: ResourceId,
    names: Vec<CallName>,
    created_at: Timestamp,
    participants: Vec<Participant>,
    recordings: Vec<RecordingId>,
}

#[derive(Debug)]
struct Recording {
    resource: ResourceId,
    call: CallId,
    phase: Phase,
    graph: String,
    paused: bool,
    /// Since when it is, or is not.
    paused_at: Timestamp,
    pins: Vec<(String, u32)>,
    started_at: Timestamp,
    started_ns: i64,
    /// By number.
    members: Vec<MemberKey>,
    /// When the last of its changes takes effect: they do in the order in which they were decided.
    changed_ns: i64,
    /// What is to happen to it as soon as it has begun.
    deferred: Vec<Effect>,
    /// Id of the request that started it, if that may be made again.
    asked_as: Option<String>,
    /// Who waits until it has begun.
    waiting: Vec<Token>,
    chunks: Vec<ChunkView>,
    end: Option<EndRow>,
}

impl Recording {
    /// Returns whether it is to be stopped as soon as it has begun.
    fn is_to_stop(&self) -> bool {
        self.deferred.iter().any(|effect| matches!(effect, Effect::Stop { .. }))
    }
}

/// All calls and recordings.
#[derive(Debug)]
pub(super) struct Core {
    resources: BTreeMap<ResourceId, ResourceSettings>,
    creates_on_start: bool,
    calls: BTreeMap<CallId, Call>,
    names: HashMap<(ResourceId, CallName), CallId>,
    recordings: BTreeMap<RecordingId, Recording>,
    documents: HashMap<ChunkId, RecordingId>,
    repeated: HashMap<(ResourceId, String), RepeatRow>,
    lingering: Vec<(i64, MemberKey)>,
    n_members: u64,
}

impl Core {
    pub(super) fn new(resources: BTreeMap<ResourceId, ResourceSettings>, creates_on_start: bool) -> Self {
        Self {
            resources,
            creates_on_start,
            calls: BTreeMap::new(),
            names: HashMap::new(),
            recordings: BTreeMap::new(),
            documents: HashMap::new(),
            repeated: HashMap::new(),
            lingering: Vec::new(),
            n_members: 0,
        }
    }

    /// Returns recordings that have not ended.
    pub(super) fn running(&self) -> Vec<RecordingId> {
        let running = self.recordings.iter().filter(|(_, recording)| recording.phase < Phase::Ended);
        running.map(|(id, _)| *id).collect()
    }

    /// Takes what happens and returns what follows, in order.
    pub(super) fn on(&mut self, input: Input, now: Now) -> Vec<Effect> {
        match input {
            Input::Asked { token, resource, ask } => {
                let mut effects = Vec::new();
                match self.ask(token, resource, ask, now, &mut effects) {
                    Ok(None) => (),
                    Ok(Some(answer)) => effects.push(Effect::Answer(token, Ok(answer))),
                    Err(refusal) => effects.push(Effect::Answer(token, Err(refusal))),
                }
                effects
            }
            Input::TrackOpened { token, call, key, id, opened } => self.track_opened(token, call, key, id, opened, now),
            Input::Begun { recording, begun } => self.begun(recording, begun),
            Input::Stopped { recording } => {
                if let Some(own) = self.recordings.get_mut(&recording).filter(|own| own.phase == Phase::Recording) {
                    own.phase = Phase::Stopping;
                }
                Vec::new()
            }
            Input::Ended { recording, chunks, reason, error } => self.ended(recording, chunks, reason, error, now),
            Input::Passed => self.passed(now),
        }
    }

    /// Stops a recording, whoever's it is.
    pub(super) fn stop_all(&mut self, reason: EndReason, now: Now) -> Vec<Effect> {
        let all: Vec<_> = self.recordings.keys().copied().collect();
        all.into_iter().filter_map(|id| self.stop(id, reason, now)).collect()
    }

    /// Returns None where the answer comes later.
    fn ask(
        &mut self,
        token: Token,
        resource: ResourceId,
        ask: Ask,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<Option<Answer>, Refusal> {
        Ok(Some(match ask {
            Ask::CreateCall(names) => {
                let id = self.create_call(resource, names, now)?;
                Answer::Call(self.call_view(id)?)
            }
            Ask::EndCall(call) => {
                self.call(resource, call)?;
                self.end_call(call, now, effects);
                Answer::Done
            }
            Ask::Calls => {
                let own = self.calls.iter().filter(|(_, call)| call.resource == resource).map(|(id, _)| *id);
                let mut views = own.map(|id| self.call_view(id)).collect::<Result<Vec<_>, _>>()?;
                views.sort_by_key(|view| view.created_at);
                Answer::Calls(views)
            }
            Ask::Call(call) => {
                self.call(resource, call)?;
                Answer::Call(self.call_view(call)?)
            }
            Ask::AddParticipant { call, participant: id, track: settings } => {
                let limit = self.resources.get(&resource).map_or(0, |settings| settings.participants_max);
                let participants = &self.call(resource, call)?.participants;
                if participants.iter().any(|other| other.member.id == id) {
                    return Err(Refusal::ParticipantExists);
                }
                if participants.len() >= limit {
                    return Err(Refusal::TooMany("participants of a call"));
                }
                self.n_members += 1;
                let key = MemberKey(self.n_members);
                effects.push(Effect::OpenTrack { token, call, key, id, settings });
                return Ok(None);
            }
            Ask::RemoveParticipant { call, participant } => {
                self.call(resource, call)?;
                self.remove_participant(call, &participant, now, effects)?;
                Answer::Done
            }
            Ask::Start(start) => return self.start(token, resource, start, now, effects),
            Ask::Pause(recording) => self.set_paused(resource, recording, true, now, effects)?,
            Ask::Resume(recording) => self.set_paused(resource, recording, false, now, effects)?,
            Ask::Stop(id) => {
                self.own(resource, id).filter(|own| own.phase == Phase::Recording).ok_or(Refusal::UnknownRecording)?;
                effects.extend(self.stop(id, EndReason::Stopped, now));
                Answer::Done
            }
            Ask::Recording(id) => Answer::Recording(self.recording_view(resource, id)?),
            Ask::Document(document) => Answer::Document(self.document_view(resource, document)?),
            Ask::DeleteDocument(document) => {
                self.document_view(resource, document)?;
                if let Some(recording) = self.documents.remove(&document).and_then(|id| self.recordings.get_mut(&id)) {
                    recording.chunks.retain(|chunk| chunk.document != document);
                }
                effects.extend([Effect::Save(Update::ChunkDoomed(document)), Effect::Delete(document)]);
                Answer::Done
            }
        }))
    }

    fn call(&self, resource: ResourceId, call: CallId) -> Result<&Call, Refusal> {
        self.calls.get(&call).filter(|call| call.resource == resource).ok_or(Refusal::UnknownCall)
    }

    fn own(&self, resource: ResourceId, recording: RecordingId) -> Option<&Recording> {
        self.recordings.get(&recording).filter(|recording| recording.resource == resource)
    }

    fn start(
        &mut self,
        token: Token,
        resource: ResourceId,
        start: StartAsk,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<Option<Answer>, Refusal> {
        let StartAsk { call: name, graph, pins, paused, repeat } = start;
        if let Some(answer) = self.repeated(token, resource, repeat.as_ref()) {
            return answer;
        }
        let settings = self.resources.get(&resource).cloned().ok_or(Refusal::UnknownCall)?;
        let call = self.call_to_record(resource, name, settings.recordings_max, now)?;
        let here = self.calls.get(&call).ok_or(Refusal::UnknownCall)?;
        let recording = RecordingId::new();
        let pinned = |participant: &Participant| {
            let pin = pin_of(&pins, &participant.member.id);
            Member { pin, ..participant.member.clone() }
        };
        let members: Vec<_> = here.participants.iter().map(pinned).collect();
        effects.push(Effect::Begin(Begin {
            recording,
            resource,
            region: settings.region,
            call,
            graph: graph.clone(),
            members: members.clone(),
            paused,
            pins: pins.iter().map(|(_, channel)| *channel).collect(),
            at_ns: now.monotonic_ns,
        }));
        let asked_as = repeat.as_ref().map(|Repeat { id, .. }| id.clone());
        if let Some(Repeat { id, body }) = repeat {
            let row = RepeatRow { resource, id: id.clone(), body, recording, at: now.wall };
            self.repeated.insert((resource, id), row);
        }
        let members = members.into_iter().map(|member| member.key).collect();
        let new = Recording {
            resource,
            call,
            phase: Phase::Starting,
            graph,
            paused,
            paused_at: now.wall,
            pins,
            started_at: now.wall,
            started_ns: now.monotonic_ns,
            members,
            changed_ns: now.monotonic_ns,
            deferred: Vec::new(),
            asked_as,
            waiting: vec![token],
            chunks: Vec::new(),
            end: None,
        };
        self.recordings.insert(recording, new);
        if let Some(call) = self.calls.get_mut(&call) {
            call.recordings.push(recording);
        }
        Ok(None)
    }

    /// Returns the call of a name if it may be recorded now.
    fn call_to_record(
        &mut self,
        resource: ResourceId,
        name: CallName,
        recordings_max: usize,
        now: Now,
    ) -> Result<CallId, Refusal> {
        let known = self.names.get(&(resource, name.clone())).copied();
        let is_on = |id: &RecordingId| self.recordings.get(id).is_some_and(|own| own.phase < Phase::Stopping);
        if known.and_then(|call| self.calls.get(&call)).is_some_and(|call| call.recordings.iter().any(is_on)) {
            return Err(Refusal::AlreadyRecording);
        }
        if known.is_none() && !self.creates_on_start {
            return Err(Refusal::UnknownCall);
        }
        let running = self.recordings.values().filter(|own| own.resource == resource && own.phase < Phase::Ended);
        if running.count() >= recordings_max {
            return Err(Refusal::TooMany("recordings at a time"));
        }
        known.map_or_else(|| self.create_call(resource, vec![name], now), Ok)
    }

    /// Answers a request that was made before; None where it was not.
    fn repeated(
        &mut self,
        token: Token,
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
                recording.waiting.push(token);
                Ok(None)
            }
            // Also where it has ended since, and its files are gone.
            _ => Ok(Some(Answer::Started(id))),
        })
    }

    fn begun(&mut self, id: RecordingId, begun: Result<(), Refusal>) -> Vec<Effect> {
        let Some(recording) = self.recordings.get_mut(&id) else { return Vec::new() };
        let waiting = std::mem::take(&mut recording.waiting);
        let answer = match &begun {
            Ok(()) => Ok(Answer::Started(id)),
            Err(refusal) => Err(refusal.clone()),
        };
        let mut effects: Vec<_> = waiting.into_iter().map(|token| Effect::Answer(token, answer.clone())).collect();
        let call = recording.call;
        let asked_as = recording.asked_as.take().map(|name| (recording.resource, name));
        if begun.is_err() {
            self.recordings.remove(&id);
            // Who asks again shall have it tried again.
            asked_as.and_then(|key| self.repeated.remove(&key));
            if let Some(call) = self.calls.get_mut(&call) {
                call.recordings.retain(|other| *other != id);
            }
            return effects;
        }
        recording.phase = if recording.is_to_stop() { Phase::Stopping } else { Phase::Recording };
        effects.append(&mut recording.deferred);
        // Before anybody is told.
        let repeat = asked_as.and_then(|key| self.repeated.get(&key)).cloned();
        repeat.map(|row| Effect::Save(Update::Repeat(row))).into_iter().chain(effects).collect()
    }

    /// Lets something happen to a recording, behind all that was decided before; None where it has to begin first.
    fn change(&mut self, id: RecordingId, at_ns: i64, change: Change) -> Option<Effect> {
        let recording = self.recordings.get_mut(&id).filter(|recording| recording.phase < Phase::Stopping)?;
        let at_ns = at_ns.max(recording.changed_ns + 1);
        recording.changed_ns = at_ns;
        let effect = Effect::Change { recording: id, at_ns, change };
        if recording.phase == Phase::Starting {
            recording.deferred.push(effect);
            return None;
        }
        Some(effect)
    }

    fn set_paused(
        &mut self,
        resource: ResourceId,
        id: RecordingId,
        paused: bool,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<Answer, Refusal> {
        let recording = self.recordings.get_mut(&id).filter(|recording| recording.resource == resource);
        let recording = recording.ok_or(Refusal::UnknownRecording)?;
        match recording.phase {
            Phase::Recording => (),
            Phase::Stopping => return Err(Refusal::Stopping),
            Phase::Starting | Phase::Ended => return Err(Refusal::UnknownRecording),
        }
        if std::mem::replace(&mut recording.paused, paused) != paused {
            recording.paused_at = now.wall;
            let change = if paused { Change::Pause } else { Change::Resume };
            effects.extend(self.change(id, now.monotonic_ns, change));
        }
        Ok(Answer::Done)
    }

    fn stop(&mut self, id: RecordingId, reason: EndReason, now: Now) -> Option<Effect> {
        let recording = self.recordings.get_mut(&id).filter(|recording| recording.phase < Phase::Stopping)?;
        let stop = Effect::Stop { recording: id, at_ns: now.monotonic_ns.max(recording.changed_ns + 1), reason };
        if recording.phase == Phase::Starting {
            // The first says why.
            if !recording.is_to_stop() {
                recording.deferred.push(stop);
            }
            return None;
        }
        recording.phase = Phase::Stopping;
        Some(stop)
    }

    fn ended(
        &mut self,
        id: RecordingId,
        chunks: Vec<ChunkView>,
        reason: EndReason,
        error: Option<String>,
        now: Now,
    ) -> Vec<Effect> {
        let Some(recording) = self.recordings.get_mut(&id) else { return Vec::new() };
        let retention = self.resources.get(&recording.resource).map_or(Duration::ZERO, |settings| settings.retention);
        let expires_at = now.wall.checked_add(retention).unwrap_or(Timestamp::MAX);
        recording.phase = Phase::Ended;
        recording.end = Some(EndRow { reason, error, ready_at: now.wall, expires_at });
        self.documents.extend(chunks.iter().map(|chunk| (chunk.document, id)));
        recording.chunks = chunks;
        let saved = saved::updates(id, recording);
        if let Some(call) = self.calls.get_mut(&recording.call) {
            call.recordings.retain(|other| *other != id);
        }
        saved.into_iter().map(Effect::Save).collect()
    }

    fn passed(&mut self, now: Now) -> Vec<Effect> {
        let due = self.lingering.extract_if(.., |(until_ns, _)| *until_ns <= now.monotonic_ns);
        let mut effects: Vec<_> = due.map(|(_, key)| Effect::CloseTrack(key)).collect();
        let is_over = |end: &EndRow| end.expires_at <= now.wall;
        let over = self.recordings.extract_if(.., |_, recording| recording.end.as_ref().is_some_and(is_over));
        for (id, recording) in over {
            effects.push(Effect::Save(Update::RecordingGone(id)));
            for ChunkView { document, .. } in recording.chunks {
                self.documents.remove(&document);
                effects.extend([Effect::Save(Update::ChunkDoomed(document)), Effect::Delete(document)]);
            }
        }
        let since = now.wall.checked_sub(REPEAT).unwrap_or(Timestamp::MIN);
        let n_repeated = self.repeated.len();
        self.repeated.retain(|_, repeated| repeated.at > since);
        if self.repeated.len() < n_repeated {
            effects.push(Effect::Save(Update::RepeatsGone(since)));
        }
        effects
    }

    fn recording_view(&self, resource: ResourceId, id: RecordingId) -> Result<RecordingView, Refusal> {
        let recording = self.own(resource, id).filter(|recording| recording.phase > Phase::Starting);
        let Recording { phase, paused, started_at, chunks, end, .. } = recording.ok_or(Refusal::UnknownRecording)?;
        let (phase, paused, started_at) = (*phase, *paused, *started_at);
        let region = self.resources.get(&resource).map(|settings| settings.region.clone()).unwrap_or_default();
        Ok(RecordingView { id, region, phase, paused, started_at, chunks: chunks.clone(), end: end.clone() })
    }

    fn document_view(&self, resource: ResourceId, document: ChunkId) -> Result<DocumentView, Refusal> {
        let recording = self.documents.get(&document).and_then(|id| self.own(resource, *id));
        let chunk = recording.and_then(|own| own.chunks.iter().find(|chunk| chunk.document == document));
        let region = self.resources.get(&resource).map(|settings| settings.region.clone());
        let (chunk, region) = chunk.zip(region).ok_or(Refusal::UnknownDocument)?;
        Ok(DocumentView { chunk: chunk.clone(), region })
    }
}

fn pin_of(pins: &[(String, u32)], id: &str) -> Option<u32> {
    pins.iter().find(|(pinned, _)| pinned == id).map(|(_, channel)| *channel)
}

#[cfg(test)]
mod tests;
