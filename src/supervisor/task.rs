//! The task: takes what is asked and what has happened, and does what the core decides.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc::Receiver;
use tokio::sync::mpsc::channel;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::catalog::AuditRow;
use crate::catalog::Catalog;
use crate::catalog::Rows;
use crate::catalog::Saving;
use crate::catalog::Update;
use crate::config::EngineSettings;
use crate::config::ResourceSettings;
use crate::config::ServiceSettings;
use crate::engine;
use crate::engine::Engine;
use crate::engine::Order;
use crate::engine::Source;
use crate::engine::clock::monotonic_ns;
use crate::graph::Plan;
use crate::ingest::rtp::Readers;
use crate::model::ChunkId;
use crate::model::EndReason;
use crate::model::RecordingId;
use crate::model::ResourceId;
use crate::storage::Left;
use crate::storage::Leftovers;
use crate::storage::Objects;
use crate::storage::PartFiles;
use crate::storage::discard_dir;
use crate::storage::discard_parts;
use crate::storage::part_dir;
use crate::supervisor::Answer;
use crate::supervisor::Ask;
use crate::supervisor::Asker;
use crate::supervisor::Handle;
use crate::supervisor::Policy;
use crate::supervisor::Refusal;
use crate::supervisor::audit;
use crate::supervisor::begin::Started;
use crate::supervisor::begin::begin;
use crate::supervisor::core::Core;
use crate::supervisor::disk::Disk;
use crate::supervisor::finish::Finishing;
use crate::supervisor::follow::Follower;
use crate::supervisor::handle::Message;
use crate::supervisor::input::Begin;
use crate::supervisor::input::Change;
use crate::supervisor::input::Effect;
use crate::supervisor::input::Input;
use crate::supervisor::input::Joining;
use crate::supervisor::input::Member;
use crate::supervisor::input::Now;
use crate::supervisor::input::Token;
use crate::supervisor::meter::Meter;
use crate::supervisor::tracks::QUIET;
use crate::supervisor::tracks::Tracks;

/// Requests that may wait: a second of more than anybody asks.
const MESSAGES_MAX: usize = 1_024;

/// What has happened and was not looked at.
const EVENTS_MAX: usize = 1_024;

/// How long to wait before what could not be deleted is tried again.
const DELETE_AGAIN: Duration = Duration::from_secs(30);

/// How long an answer waits for what is to be saved: a database that is locked or gone stops no recording.
const SAVE_DEADLINE: Duration = Duration::from_secs(3);

/// How often something may be due.
const PASSING: Duration = Duration::from_secs(1);

/// Who works with the supervisor.
pub struct Collaborators {
    /// Records.
    pub engine: Arc<Engine>,
    /// Read calls.
    pub readers: Readers,
    /// Keep what is recorded.
    pub objects: Objects,
    /// Knows after a restart what is asked for then.
    pub catalog: Catalog,
    /// What it knows from before.
    pub rows: Rows,
    /// What is left from before in directories of recordings.
    pub left: Leftovers,
    /// Counts what recordings do.
    pub meter: Arc<Meter>,
    /// Graphs by name.
    pub plans: BTreeMap<String, Arc<Plan>>,
    /// How recordings are run.
    pub settings: EngineSettings,
    /// Where calls are received, and files are.
    pub service: ServiceSettings,
    /// Who uses the service.
    pub resources: BTreeMap<ResourceId, ResourceSettings>,
    /// What holds for all calls and recordings.
    pub policy: Policy,
}

/// Starts the supervisor. Its task ends when it has been drained, or when all handles are dropped.
pub fn start(with: Collaborators) -> (Handle, JoinHandle<()>) {
    let (sender, messages) = channel(MESSAGES_MAX);
    let (events_to, events) = channel(EVENTS_MAX);
    let dir = with.service.recordings_dir();
    let ServiceSettings { rtp_address, rtp_announced, rtp_ports, data_dir, shutdown_timeout, .. } = with.service;
    let finishing = Finishing::new(with.objects.clone(), events_to);
    let mut task = Task {
        core: Core::new(with.resources, with.policy),
        tracks: Tracks::new(with.readers, rtp_address, rtp_announced, rtp_ports),
        engine: with.engine,
        objects: with.objects,
        catalog: with.catalog,
        meter: with.meter,
        plans: with.plans,
        close_timeout: with.settings.close_timeout,
        dir,
        shutdown_timeout,
        finishing,
        waiting: HashMap::new(),
        handles: HashMap::new(),
        files: HashMap::new(),
        n_asked: 0,
        disk: Disk::new(&data_dir),
        end: None,
    };
    let restored = task.core.restore(with.rows, &with.left, now());
    task.perform(restored);
    with.left.parts.into_iter().for_each(|left| task.finish(left));
    (Handle::new(sender), tokio::spawn(task.run(messages, events)))
}

/// What those tell who work for the task.
pub(super) enum Event {
    /// A recording runs, or does not.
    Begun(RecordingId, Result<engine::Handle, Refusal>),
    /// One has come to its end.
    Stopped(RecordingId),
    /// All of a part of one is stored, or will never be.
    PartEnded { recording: RecordingId, files: PartFiles, input: Box<Input> },
}

/// Who waits for an answer, and what is noted of what they asked.
struct Waiting {
    answer: oneshot::Sender<Result<Answer, Refusal>>,
    noted: Option<AuditRow>,
}

struct Task {
    core: Core,
    tracks: Tracks,
    engine: Arc<Engine>,
    objects: Objects,
    catalog: Catalog,
    meter: Arc<Meter>,
    plans: BTreeMap<String, Arc<Plan>>,
    close_timeout: Duration,
    /// A directory for each recording that runs.
    dir: PathBuf,
    shutdown_timeout: Duration,
    finishing: Finishing,
    waiting: HashMap<Token, Waiting>,
    handles: HashMap<RecordingId, engine::Handle>,
    /// Of recordings that have not ended, parts that are stored.
    files: HashMap<RecordingId, Vec<PartFiles>>,
    n_asked: Token,
    /// The disk is nearly full, as far as it was asked.
    disk: Disk,
    /// When recordings are ended, if the service is to end.
    end: Option<Instant>,
}

impl Task {
    async fn run(mut self, mut messages: Receiver<Message>, mut events: Receiver<Event>) {
        let mut passing = tokio::time::interval(PASSING);
        let mut is_closed = false;
        loop {
            tokio::select! {
                message = messages.recv(), if !is_closed => match message {
                    Some(Message::Asked { asker, ask, at, answer }) => {
                        self.n_asked += 1;
                        let waiting = Waiting { answer, noted: audit::noted(asker, &ask, at.wall) };
                        self.waiting.insert(self.n_asked, waiting);
                        self.asked(self.n_asked, asker, ask, at);
                    }
                    drain @ (Some(Message::Drain) | None) => {
                        is_closed = drain.is_none();
                        self.end.get_or_insert(Instant::now() + self.shutdown_timeout);
                    }
                },
                Some(event) = events.recv() => self.happened(event),
                _ = passing.tick() => {
                    if self.core.is_awaiting() {
                        self.on(Input::Heard(self.tracks.heard()), now());
                    }
                    if let Some(is_short) = self.disk.changed() {
                        self.on(Input::Disk { is_short }, now());
                    }
                    self.tracks.sweep(QUIET);
                    self.on(Input::Passed, now());
                    self.meter.catalog(self.catalog.is_behind());
                    if self.catalog.wants_all() {
                        self.catalog.save(self.core.all_updates());
                    }
                }
            }
            let Some(end) = self.end else { continue };
            if self.core.running().is_empty() {
                return;
            }
            if Instant::now() >= end {
                let effects = self.core.stop_all(EndReason::Drained, now());
                self.perform(effects);
            }
        }
    }

    fn asked(&mut self, token: Token, asker: Asker, ask: Box<Ask>, at: Now) {
        if self.end.is_some() && ask.is_new_work() {
            let refusal = Refusal::NoCapacity("the service is ending".to_owned());
            return self.perform(vec![Effect::Answer(token, Err(refusal))]);
        }
        self.on(Input::Asked { token, resource: asker.resource, ask }, at);
    }

    fn happened(&mut self, event: Event) {
        let input = match event {
            Event::Begun(recording, begun) => {
                if let Err(refusal) = &begun {
                    // Its text may have names in it.
                    tracing::warn!(%recording, why = refusal.word(), "a recording does not begin");
                }
                let begun = begun.inspect(|handle| self.meter.began(recording, handle));
                let begun = begun.map(|handle| drop(self.handles.insert(recording, handle)));
                Input::Begun { recording, begun }
            }
            Event::Stopped(recording) => Input::Stopped { recording },
            Event::PartEnded { recording, files, input } => {
                self.files.entry(recording).or_default().push(files);
                *input
            }
        };
        self.on(input, now());
    }

    fn on(&mut self, input: Input, at: Now) {
        self.meter.happened(&input);
        let effects = self.core.on(input, at);
        self.perform(effects);
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        let (mut updates, mut answers) = (Vec::new(), Vec::new());
        let (mut doomed, mut discarded) = (Vec::new(), Vec::new());
        // What comes of it is decided on when all of it is done.
        let mut happened = Vec::new();
        for effect in effects {
            self.meter.decided(&effect);
            match effect {
                Effect::Save(update) => updates.push(update),
                Effect::Note(note) => note.log(),
                Effect::Answer(token, answer) => {
                    let Some(Waiting { answer: waiting, noted }) = self.waiting.remove(&token) else { continue };
                    updates.extend(noted.map(|row| Update::Audit(audit::answered(row, &answer))));
                    answers.push((waiting, answer));
                }
                Effect::Delete(document) => doomed.push(document),
                Effect::Discard(recording) => {
                    // One that still runs has nobody who finishes what it writes.
                    if let Some(handle) = self.handles.remove(&recording) {
                        handle.stop_at(monotonic_ns(), EndReason::Failed);
                    }
                    discarded.extend(self.files.remove(&recording).unwrap_or_default());
                }
                Effect::Forget(recording) => self.forget(recording),
                Effect::OpenTrack { token, port, joining } => {
                    let Joining { key, settings, .. } = joining;
                    let opened = match port {
                        None => self.tracks.open(key, settings),
                        Some(port) => self.tracks.reopen(key, settings, port),
                    };
                    self.meter.opened(key, self.tracks.get(key));
                    if let (Some(port), Err(error)) = (port, &opened) {
                        tracing::error!(%error, port, call = %joining.call, "somebody in a call is not heard now");
                    }
                    happened.push(Input::TrackOpened { token, port, joining, opened });
                }
                Effect::CloseTrack(key) => self.tracks.close(key),
                Effect::Begin(asked) => happened.extend(self.begin(asked)),
                Effect::Change { recording, at_ns, change } => self.change(recording, at_ns, change),
                Effect::Stop { recording, at_ns, reason } => {
                    if let Some(handle) = self.handles.remove(&recording) {
                        handle.stop_at(at_ns, reason);
                    }
                }
            }
        }
        let is_saved = updates.is_empty();
        let saving = if is_saved { None } else { self.catalog.save(updates) };
        for document in doomed {
            tokio::spawn(delete(document, self.objects.clone(), self.catalog.clone()));
        }
        match saving {
            Some(_) if answers.is_empty() && discarded.is_empty() => (),
            Some(saving) => drop(tokio::spawn(finish_saved(saving, answers, discarded, self.finishing.clone()))),
            None => {
                answer_all(answers);
                // What is not known to be stored stays.
                if is_saved && !discarded.is_empty() {
                    tokio::spawn(self.finishing.clone().discard(discarded));
                }
            }
        }
        happened.into_iter().for_each(|input| self.on(input, now()));
    }

    /// Finishes what is left of a recording from before.
    fn finish(&self, left: Left) {
        let recording = left.ledger.opening.recording_id;
        if !self.core.knows(RecordingId(recording)) {
            return tracing::error!(%recording, "a recording of a resource that is not configured stays where it is");
        }
        let finishing = self.finishing.clone();
        tokio::spawn(async move { finishing.finish(left).await });
    }

    /// Takes away what is left of a recording whose time is over.
    fn forget(&mut self, recording: RecordingId) {
        self.files.remove(&recording);
        let dirs = self.dir.clone();
        // Files are slow.
        drop(tokio::task::spawn_blocking(move || discard_parts(&dirs, recording)));
    }

    fn change(&mut self, recording: RecordingId, at_ns: i64, change: Change) {
        // One that has ended by itself is told as ended soon.
        let Some(handle) = self.handles.get(&recording) else { return };
        let (order, expected) = match change {
            Change::Pause => (Order::Pause, 0),
            Change::Resume => (Order::Resume, 0),
            Change::Leave(number) => (Order::Leave(number), 0),
            Change::Join { number, member } => {
                let Some(track) = self.tracks.get(member.key) else {
                    tracing::error!("who joins has no track");
                    return handle.stop_at(at_ns, EndReason::Failed);
                };
                (Order::Join { name: member.id, source: Source::Live(track), pin: member.pin }, number)
            }
        };
        // Better no recording than one that does not do what it was told.
        match handle.order(at_ns, order) {
            Ok(number) if number == expected => (),
            Ok(number) => {
                tracing::error!(number, expected, "a recording counts otherwise");
                handle.stop_at(at_ns, EndReason::Failed);
            }
            Err(error) => {
                tracing::error!(%error, "a recording does not take an order");
                handle.stop_at(at_ns, EndReason::Failed);
            }
        }
    }

    /// Begins a recording on a thread for what blocks; the core is told how that went. Returns why it cannot begin.
    fn begin(&self, asked: Begin) -> Option<Input> {
        let recording = asked.recording;
        let Some(plan) = self.plans.get(&asked.graph).cloned() else {
            return Some(Input::Begun { recording, begun: Err(Refusal::NoGraph(asked.graph)) });
        };
        let track_of = |member: &Member| self.tracks.get(member.key);
        // Nobody's port is closed while they are in the call.
        let members = asked.members.iter().filter_map(|member| Some((member.clone(), track_of(member)?))).collect();
        let (part, dir) = (asked.part, part_dir(&self.dir, recording, asked.part));
        let (engine, close_timeout) = (Arc::clone(&self.engine), self.close_timeout);
        let (finishing, meter) = (self.finishing.clone(), Arc::clone(&self.meter));
        tokio::spawn(async move {
            let out = dir.clone();
            let begun = tokio::task::spawn_blocking(move || {
                if out.exists() {
                    return Err(Refusal::Failed("there is something in the directory of a new recording".to_owned()));
                }
                let begun = begin(asked, plan, members, &out, close_timeout, &engine);
                begun.inspect_err(|_| discard_dir(&out))
            });
            let begun = begun.await.unwrap_or_else(|_| Err(Refusal::Failed("a recording panicked".to_owned())));
            let (handle, follower) = match begun {
                Ok(Started { handle, finisher, lock, reports }) => {
                    let finishing = finishing.clone();
                    let follower = Follower { recording, part, reports, finisher, lock, dir, finishing, meter };
                    (Ok(handle), Some(follower))
                }
                Err(refusal) => (Err(refusal), None),
            };
            finishing.tell(Event::Begun(recording, handle)).await;
            if let Some(follower) = follower {
                follower.run().await;
            }
        });
        None
    }
}

/// Who waits for an answer, and the answer.
type Answers = Vec<(oneshot::Sender<Result<Answer, Refusal>>, Result<Answer, Refusal>)>;

/// Answers when what was decided is saved, or has to wait for too long; takes away what is of no use when it is.
async fn finish_saved(mut saving: Saving, answers: Answers, discarded: Vec<PartFiles>, finishing: Finishing) {
    let saved = tokio::time::timeout(SAVE_DEADLINE, &mut saving).await;
    answer_all(answers);
    let is_saved = match saved {
        Ok(saved) => saved.is_ok(),
        Err(_) => discarded.is_empty() || saving.await.is_ok(),
    };
    if is_saved {
        finishing.discard(discarded).await;
    }
}

fn answer_all(answers: Answers) {
    for (waiting, answer) in answers {
        // Who does not wait any more need not be told.
        let _ = waiting.send(answer);
    }
}

/// Deletes a document, trying again and again: the catalog keeps what is still to be deleted.
async fn delete(document: ChunkId, objects: Objects, catalog: Catalog) {
    while let Err(error) = objects.delete(document).await {
        tracing::error!(%error, "a document cannot be deleted; it is tried again");
        tokio::time::sleep(DELETE_AGAIN).await;
    }
    catalog.save(vec![Update::ChunkDeleted(document)]);
}

fn now() -> Now {
    Now { monotonic_ns: monotonic_ns(), wall: Timestamp::now() }
}
