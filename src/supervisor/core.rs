//! The decisions about calls and recordings. Pure, but for ids, which are random: what has happened, and when, are
//! arguments.
//!
//! ```text
//!  Starting ──begun──► Recording ──stop, call ended, failure──► Stopping ──all is stored──► Ended ──retention──► gone
//!                          │ ▲
//!                   killed ▼ │ somebody of its call is heard
//!                         awaited ──nobody is, for a while──► Stopping
//! ```

mod calls;
mod limits;
mod lists;
mod recordings;
mod restore;
mod saved;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use jiff::Timestamp;

use crate::catalog::ChunkRow;
use crate::catalog::EndRow;
use crate::catalog::RecordingRow;
use crate::catalog::RepeatRow;
use crate::catalog::Update;
use crate::config::ResourceSettings;
use crate::media::Settings;
use crate::model::CallId;
use crate::model::ChunkId;
use crate::model::EndReason;
use crate::model::RecordingId;
use crate::model::ResourceId;
use crate::supervisor::Answer;
use crate::supervisor::Ask;
use crate::supervisor::CallName;
use crate::supervisor::DocumentView;
use crate::supervisor::Phase;
use crate::supervisor::Policy;
use crate::supervisor::Refusal;
use crate::supervisor::core::limits::Due;
use crate::supervisor::input::Effect;
use crate::supervisor::input::Input;
use crate::supervisor::input::Joining;
use crate::supervisor::input::Member;
use crate::supervisor::input::MemberKey;
use crate::supervisor::input::Now;
use crate::supervisor::input::Token;

pub(super) use recordings::expiry;
pub(super) use restore::DAMAGED;

/// How long a request may be made again.
const REPEAT: Duration = Duration::from_secs(24 * 3_600);

#[derive(Debug)]
struct Participant {
    member: Member,
    display_name: Option<String>,
    track: Settings,
    address: SocketAddr,
    joined_ns: i64,
    joined_at: Timestamp,
}

#[derive(Debug)]
struct Call {
    resource: ResourceId,
    names: Vec<CallName>,
    created_at: Timestamp,
    participants: Vec<Participant>,
    recordings: Vec<RecordingId>,
    /// Since when nobody is in it, if so.
    empty_ns: Option<i64>,
}

/// What records of a recording now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Run {
    /// A part is being built.
    Beginning,
    /// A part records, or is paused.
    On,
    /// Nothing: the service was killed. A part begins when somebody of the call is heard.
    Awaited,
    /// Nothing, and nothing will.
    Over,
}

/// How a part ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Which, from 0: each process that records has its own.
    pub(super) part: u32,
    pub(super) reason: EndReason,
    pub(super) error: Option<String>,
    /// All of it is stored.
    pub(super) is_whole: bool,
}

/// The parts of a recording.
#[derive(Debug, Default)]
struct Parts {
    /// Those that have begun.
    n_begun: u32,
    /// Those that nobody has said of what is stored.
    awaited: BTreeSet<u32>,
    /// Those that could not be stored whole: they stay until they are.
    kept: BTreeSet<u32>,
    /// Chunks before the part that is to begin.
    n_chunks: u32,
    /// The last that has ended, and why it did.
    last: Option<(u32, EndReason)>,
}

#[derive(Debug)]
struct Recording {
    /// As the catalog is to know it.
    row: RecordingRow,
    /// How far it is: it never goes back.
    phase: Phase,
    run: Run,
    parts: Parts,
    /// Those of its chunks that are stored.
    chunks: Vec<ChunkRow>,
    due: Due,
    started_ns: i64,
    /// When the last of its changes takes effect: they do in the order in which they were decided.
    changed_ns: i64,
    /// By number.
    members: Vec<MemberKey>,
    /// What is to happen to it as soon as it has begun.
    deferred: Vec<Effect>,
    /// Who waits until it has begun.
    waiting: Vec<Token>,
    /// Id of the request that started it, if that may be made again.
    asked_as: Option<String>,
    /// What went wrong first.
    error: Option<String>,
}

impl Recording {
    /// One that nothing has happened to yet.
    fn new(row: RecordingRow, phase: Phase, run: Run, now: Now) -> Self {
        let due = Due::new(&row.about.terms, row.started_at, row.paused.then_some(row.paused_at), now);
        let (started_ns, changed_ns) = (now.monotonic_ns, now.monotonic_ns);
        let (members, deferred, waiting) = (Vec::new(), Vec::new(), Vec::new());
        let (parts, chunks, asked_as, error) = (Parts::default(), Vec::new(), None, None);
        Self {
            row,
            phase,
            run,
            parts,
            chunks,
            due,
            started_ns,
            changed_ns,
            members,
            deferred,
            waiting,
            asked_as,
            error,
        }
    }

    /// It is so far now, if it was not.
    fn advance(&mut self, to: Phase) {
        self.phase = self.phase.max(to);
    }

    /// What records of it has ended though nobody asked for it.
    fn ended_by_itself(&mut self) -> Effect {
        self.advance(Phase::Stopping);
        // For the next process, if this one is killed before all is stored.
        self.row.stopping.get_or_insert(EndReason::Failed);
        self.save()
    }

    /// Lets the catalog know how it is now.
    fn save(&self) -> Effect {
        Effect::Save(Update::Recording(self.row.clone()))
    }
}

/// All calls and recordings.
#[derive(Debug)]
pub(super) struct Core {
    resources: BTreeMap<ResourceId, ResourceSettings>,
    policy: Policy,
    calls: BTreeMap<CallId, Call>,
    names: HashMap<(ResourceId, CallName), CallId>,
    recordings: BTreeMap<RecordingId, Recording>,
    documents: HashMap<ChunkId, RecordingId>,
    repeated: HashMap<(ResourceId, String), RepeatRow>,
    lingering: Vec<(i64, MemberKey)>,
    /// Who was in a call before, and whose port could not be opened yet.
    unheard: Vec<(u16, Joining)>,
    n_members: u64,
    /// When it was last asked who is heard.
    looked_ns: i64,
    /// Until when somebody is awaited.
    awaited_ns: i64,
    /// The disk is nearly full.
    is_short: bool,
}

impl Core {
    pub(super) fn new(resources: BTreeMap<ResourceId, ResourceSettings>, policy: Policy) -> Self {
        Self {
            resources,
            policy,
            calls: BTreeMap::new(),
            names: HashMap::new(),
            recordings: BTreeMap::new(),
            documents: HashMap::new(),
            repeated: HashMap::new(),
            lingering: Vec::new(),
            unheard: Vec::new(),
            n_members: 0,
            looked_ns: 0,
            awaited_ns: 0,
            is_short: false,
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
                match self.ask(token, resource, *ask, now, &mut effects) {
                    Ok(None) => (),
                    Ok(Some(answer)) => effects.push(Effect::Answer(token, Ok(answer))),
                    Err(refusal) => effects.push(Effect::Answer(token, Err(refusal))),
                }
                effects
            }
            Input::TrackOpened { token, port, joining, opened } => self.track_opened(token, port, joining, opened, now),
            Input::Begun { recording, begun } => self.begun(recording, begun, now),
            Input::Stopped { recording } => {
                let own = self.recordings.get_mut(&recording).filter(|own| own.phase == Phase::Recording);
                own.map(Recording::ended_by_itself).into_iter().collect()
            }
            Input::PartEnded { recording, chunks, outcome } => self.part_ended(recording, chunks, outcome, now),
            Input::Heard(members) => self.heard(&members, now),
            Input::Disk { is_short } => {
                self.is_short = is_short;
                Vec::new()
            }
            Input::Passed => self.passed(now),
        }
    }

    /// Stops all recordings, whoever's they are.
    pub(super) fn stop_all(&mut self, reason: EndReason, now: Now) -> Vec<Effect> {
        let all: Vec<_> = self.recordings.keys().copied().collect();
        all.into_iter().flat_map(|id| self.stop(id, reason, now)).collect()
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
                let id = self.create_call(resource, names, now, effects)?;
                self.auto_record(resource, id, now, effects);
                Answer::Call(self.call_view(id)?)
            }
            Ask::EndCall(call) => {
                self.call(resource, call)?;
                self.end_call(call, EndReason::CallEnded, now, effects);
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
            Ask::Recorded(call) => self.recorded(self.call(resource, call)?),
            Ask::AddParticipant { call, participant: id, display_name, track: settings } => {
                self.check_joins(resource, call, &id)?;
                let key = self.next_key();
                let joining = Joining { call, key, id, display_name, settings, joined_at: now.wall };
                effects.push(Effect::OpenTrack { token: Some(token), port: None, joining });
                return Ok(None);
            }
            Ask::RenameParticipant { call, participant, display_name } => {
                self.call(resource, call)?;
                Answer::Participant(self.rename_participant(call, &participant, display_name, effects)?)
            }
            Ask::RemoveParticipant { call, participant } => {
                self.call(resource, call)?;
                self.remove_participant(call, &participant, now, effects)?;
                Answer::Done
            }
            Ask::Start(start) => return self.start(Some(token), resource, start, now, effects),
            Ask::Pause(recording) => self.set_paused(resource, recording, true, now, effects)?,
            Ask::Resume(recording) => self.set_paused(resource, recording, false, now, effects)?,
            Ask::Stop(id) => {
                self.own(resource, id).filter(|own| own.phase == Phase::Recording).ok_or(Refusal::UnknownRecording)?;
                effects.extend(self.stop(id, EndReason::Stopped, now));
                Answer::Done
            }
            Ask::Recordings(filter) => self.list(resource, &filter)?,
            Ask::Recording(id) => Answer::Recording(Box::new(self.recording_view(resource, id)?)),
            Ask::Document(document) | Ask::ReadDocument(document) => {
                Answer::Document(self.document_view(resource, document)?)
            }
            Ask::DeleteDocument(document) => {
                self.document_view(resource, document)?;
                if let Some(recording) = self.documents.remove(&document).and_then(|id| self.recordings.get_mut(&id)) {
                    recording.chunks.retain(|chunk| chunk.id != document);
                }
                effects.extend([Effect::Save(Update::ChunkDoomed(document)), Effect::Delete(document)]);
                Answer::Done
            }
        }))
    }

    fn next_key(&mut self) -> MemberKey {
        self.n_members += 1;
        MemberKey(self.n_members)
    }

    fn call(&self, resource: ResourceId, call: CallId) -> Result<&Call, Refusal> {
        self.calls.get(&call).filter(|call| call.resource == resource).ok_or(Refusal::UnknownCall)
    }

    fn own(&self, resource: ResourceId, recording: RecordingId) -> Option<&Recording> {
        self.recordings.get(&recording).filter(|recording| recording.row.resource == resource)
    }

    fn passed(&mut self, now: Now) -> Vec<Effect> {
        let due = self.lingering.extract_if(.., |(until_ns, _)| *until_ns <= now.monotonic_ns);
        let mut effects: Vec<_> = due.map(|(_, key)| Effect::CloseTrack(key)).collect();
        let again = |(port, joining)| Effect::OpenTrack { token: None, port: Some(port), joining };
        effects.extend(self.unheard.drain(..).map(again));
        effects.extend(self.await_no_longer(now));
        effects.extend(self.keep_limits(now));
        let is_over = |end: &EndRow| end.expires_at <= now.wall;
        // What is not stored is nowhere else.
        let is_stored = |parts: &Parts| parts.awaited.is_empty() && parts.kept.is_empty();
        let over = self.recordings.extract_if(.., |_, recording| {
            is_stored(&recording.parts) && recording.row.end.as_ref().is_some_and(is_over)
        });
        for (id, recording) in over {
            effects.extend([Effect::Forget(id), Effect::Save(Update::RecordingGone(id))]);
            for ChunkRow { id: document, .. } in recording.chunks {
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

    fn document_view(&self, resource: ResourceId, document: ChunkId) -> Result<DocumentView, Refusal> {
        let recording = self.documents.get(&document).and_then(|id| self.own(resource, *id));
        let chunk = recording.and_then(|own| own.chunks.iter().find(|chunk| chunk.id == document));
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
