//! One recording on its thread: session, pipeline, feeds and journal, ticked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::feed::{Feed, Gap, Pulled};
use crate::engine::{EngineError, Packets, Track, TrackError};
use crate::graph::Plan;
use crate::media::Hole;
use crate::model::{EndReason, ParticipantNumber};
use crate::pipeline::{AudioCounts, Dot, Event, Levels, Options, Running};
use crate::session::{Core, Effect, Entry, Input, Journal, Opening, State};

/// What happened, for whoever finalises chunks and shows progress. In order: who applies all entries to a ledger knows
/// the recording as it stood at each report.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// Told once in a second of recording time.
    Progress {
        /// How far it has come.
        at: Duration,
        /// How loud everybody is there.
        levels: Levels,
        /// What has been recorded so far.
        counts: Counts,
    },
    /// A chunk can be finalised.
    ChunkComplete {
        /// Which.
        index: u32,
        /// It is the recording's only one.
        only: bool,
    },
    /// Something was noted in the journal.
    Entry(Entry),
    /// The recording is over.
    Ended {
        /// Why.
        reason: EndReason,
        /// Samples that came too late for their place; 0 in a recording that is as it should be.
        lost_samples: u64,
        /// What became of everybody's media.
        tracks: BTreeMap<ParticipantNumber, TrackCounts>,
        /// What has been recorded.
        counts: Counts,
    },
    /// Nobody works on it any more, whatever state it is in. Nothing else is told after it.
    GivenUp(GivenUp),
}

/// Why a live recording was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GivenUp {
    /// A tick of it does not come to its end.
    #[error("an element or the disk did not answer in time (PipelineStalled)")]
    Stalled,
    /// A tick of it panicked.
    #[error("the recorder has a bug that it ran into (a panic)")]
    Panicked,
    /// Nobody had stopped it when the engine was.
    #[error("the engine has ended")]
    EngineEnded,
}

/// What became of one participant's media.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TrackCounts {
    /// Packets by outcome; None where the media is no packets.
    pub packets: Option<Packets>,
    /// What was made of them.
    pub audio: AudioCounts,
    /// How long nothing was heard while the media was recorded: nothing was sent, or more was lost than is concealed.
    pub silent: Duration,
}

/// How much was recorded. Each only grows, as long as the recording goes on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Recording time, pauses taken out.
    pub recorded: Duration,
    /// Pauses.
    pub paused: Duration,
    /// What was made up for losses, of all participants together.
    pub concealed: Duration,
    /// How long nothing was heard of those who were recorded, of all together.
    pub silent: Duration,
    /// Decoded audio that found no place; known when the recording ends.
    pub lost: Duration,
}

/// What a recording begins with.
pub struct Setup {
    /// What is recorded.
    pub plan: Arc<Plan>,
    /// What it wants of its pipeline.
    pub options: Options,
    /// How it begins.
    pub opening: Opening,
    /// Where it is noted.
    pub journal: Journal,
    /// Longest wait for the last chunk.
    pub close_deadline: Duration,
}

/// One recording.
pub struct Recording {
    core: Core,
    running: Running,
    journal: Journal,
    feeds: BTreeMap<ParticipantNumber, Feed>,
    /// Of those who have left.
    gone: BTreeMap<ParticipantNumber, TrackCounts>,
    /// When the last of those who have left ended.
    gone_end: Duration,
    /// Recording time up to which everything is in the files, as far as elements do not hold it back.
    horizon: Duration,
    close_deadline: Duration,
    /// It is over, but for what the pipeline still holds.
    must_stop: bool,
    reports: Vec<Report>,
}

impl Recording {
    /// Begins a recording: its journal is there when this returns, its first file as soon as its format is known.
    pub fn begin(setup: Setup) -> Result<Self, EngineError> {
        let (core, effects) = Core::new(setup.opening);
        let mut journal = setup.journal;
        for effect in effects {
            if let Effect::Append(entry) = effect {
                journal.append(&entry)?;
            }
        }
        // Whatever comes to a file is of no use without it.
        journal.sync()?;
        let running = Running::build(setup.plan, setup.options)?;
        Ok(Self {
            core,
            running,
            journal,
            feeds: BTreeMap::new(),
            gone: BTreeMap::new(),
            gone_end: Duration::ZERO,
            horizon: Duration::ZERO,
            close_deadline: setup.close_deadline,
            must_stop: false,
            reports: Vec::new(),
        })
    }

    /// Returns the name of its graph.
    pub fn graph(&self) -> &str {
        self.running.graph()
    }

    /// Returns who draws its pipeline.
    pub fn dot(&self) -> Dot {
        self.running.dot()
    }

    /// Returns where the recording stands.
    pub fn state(&self) -> State {
        self.core.state()
    }

    /// Returns recording time up to which everything is in the files.
    pub fn horizon(&self) -> Duration {
        self.horizon
    }

    /// Gives a participant who has joined the track to be recorded, from recording time `from` to `until` at most.
    pub fn feed(
        &mut self,
        participant: ParticipantNumber,
        track: Box<dyn Track>,
        from: Duration,
        until: Option<Duration>,
    ) {
        let feed = Feed::new(track, clock_time(from), until.map(clock_time));
        self.feeds.insert(participant, feed);
    }

    /// Takes what happens at recording time `now`.
    pub fn input(&mut self, input: Input, now: Duration) {
        match &input {
            Input::Leave { participant } => self.tell_packets(*participant, now),
            Input::Stop { .. } => {
                let participants: Vec<_> = self.feeds.keys().copied().collect();
                participants.into_iter().for_each(|participant| self.tell_packets(participant, now));
            }
            _ => (),
        }
        let effects = self.core.on(input, now);
        effects.into_iter().for_each(|effect| self.perform(effect, now));
    }

    /// Ends the recording where it is, for a reason that it may have already. Waits for branches with threads of their
    /// own, as long as [`Self::close_deadline`] allows.
    pub fn end(&mut self, reason: EndReason) {
        let now = self.horizon;
        self.input(Input::Stop { reason }, now);
        if std::mem::take(&mut self.must_stop) {
            for event in self.running.stop(self.close_deadline) {
                self.take_event(event, now);
            }
            self.input(Input::PipelineEnded, now);
        }
    }

    /// Returns how long the end of the recording may take.
    pub fn close_deadline(&self) -> Duration {
        self.close_deadline
    }

    /// Returns up to when all that arrived is here, in ns of the monotonic clock; None where nothing is on its way.
    pub fn read_ns(&self) -> Option<i64> {
        self.feeds.values().filter_map(Feed::read_ns).min()
    }

    /// Returns when the last feed ends, if all have, for now at least.
    pub fn media_end(&self) -> Option<Duration> {
        let ended = self.feeds.values().all(Feed::is_over);
        let ends = self.feeds.values().map(|feed| Duration::from(feed.end()));
        ended.then(|| ends.max().unwrap_or_default().max(self.gone_end))
    }

    /// Reads all media that is due before `horizon`.
    pub fn pull(&mut self, horizon: Duration) {
        self.feeds.values_mut().for_each(|feed| feed.pull(clock_time(horizon)));
    }

    /// Returns the recording time up to which media has been read.
    pub fn read_end(&self) -> Duration {
        self.feeds.values().map(Feed::end).max().unwrap_or_default().into()
    }

    /// Pushes what has been read up to `horizon`. The pipeline must know by now which pauses are in it: decoders
    /// meet the media here, and not in [`Self::advance`].
    pub fn push(&mut self, horizon: Duration) {
        let participants: Vec<_> = self.feeds.keys().copied().collect();
        for participant in participants {
            let Some(feed) = self.feeds.get_mut(&participant) else { continue };
            let Some(Pulled { due, errors }) = feed.take() else { continue };
            let (ended, at, gap) = (feed.is_ended(), Duration::from(feed.end()), feed.gap(clock_time(horizon)));
            let pushed = due.into_iter().try_for_each(|due| self.running.push(participant, &due.caps, due.frames));
            for (at, TrackError { text: reason, fatal }) in errors {
                tracing::warn!(participant, %reason, "a participant's media is damaged");
                let silent = fatal && pushed.is_ok();
                if silent {
                    self.running.end_track(participant);
                }
                self.input(Input::Trouble { participant, reason, silent }, at.into());
            }
            if let Err(error) = pushed {
                // An element of the branch has said more than the refusal of its pad does.
                self.take_events(at);
                self.give_up(participant, error.to_string(), at);
            } else if ended {
                self.running.end_track(participant);
            } else if let Some(Gap { start, duration, hole }) = gap {
                self.running.gap(participant, start, duration, hole == Hole::Loss);
            }
        }
    }

    /// Lets everything before `horizon` be written, and takes what follows from it.
    pub fn advance(&mut self, horizon: Duration) {
        let before = self.horizon;
        let advanced = self.running.advance(clock_time(horizon));
        if advanced.is_ok() {
            self.horizon = self.horizon.max(horizon);
        }
        // First what elements say: their words are better than a refusal.
        self.take_events(self.horizon);
        if let Err(error) = advanced {
            self.input(Input::Fail { error: error.to_string() }, self.horizon);
        }
        // Who is told must wake up for it.
        if self.horizon.as_secs() > before.as_secs() {
            let report = self.progress();
            self.reports.push(report);
        }
    }

    /// Returns what has happened since the last call.
    pub fn take_reports(&mut self) -> Vec<Report> {
        std::mem::take(&mut self.reports)
    }

    /// Notes what of a participant's packets nobody can hear, where that is not the network's doing: silence needs a
    /// reason.
    fn tell_packets(&mut self, participant: ParticipantNumber, now: Duration) {
        let packets = self.feeds.get(&participant).and_then(Feed::packets);
        for reason in packets.iter().flat_map(|packets| packets.troubles()) {
            self.input(Input::Trouble { participant, reason, silent: false }, now);
        }
    }

    /// Returns what has become of everybody's media so far.
    pub fn tracks(&self) -> BTreeMap<ParticipantNumber, TrackCounts> {
        let here = self.feeds.iter().map(|(number, feed)| (*number, self.track_counts(*number, feed, self.horizon)));
        self.gone.clone().into_iter().chain(here).collect()
    }

    fn track_counts(&self, participant: ParticipantNumber, feed: &Feed, now: Duration) -> TrackCounts {
        let audio = self.running.audio(participant).0;
        TrackCounts { packets: feed.packets(), audio, silent: silent(feed, &audio, now) }
    }

    /// What happens every second: of each decoder's structure all is read at once.
    fn progress(&self) -> Report {
        let at = self.horizon;
        let (mut levels, mut counts) = (Levels::new(), self.counts_of(self.gone.values()));
        for (participant, feed) in &self.feeds {
            let (audio, level) = self.running.audio(*participant);
            levels.extend(level.map(|level| (*participant, level)));
            counts.concealed += Duration::from_nanos(audio.concealed_ns);
            counts.silent += silent(feed, &audio, at);
        }
        Report::Progress { at, levels, counts }
    }

    fn counts_of<'a>(&self, tracks: impl Iterator<Item = &'a TrackCounts>) -> Counts {
        let paused = self.core.paused(self.horizon);
        let mut counts = Counts { recorded: self.horizon.saturating_sub(paused), paused, ..Counts::default() };
        for track in tracks {
            counts.concealed += Duration::from_nanos(track.audio.concealed_ns);
            counts.silent += track.silent;
        }
        counts
    }

    fn take_events(&mut self, now: Duration) {
        for event in self.running.events() {
            self.take_event(event, now);
        }
    }

    fn take_event(&mut self, event: Event, now: Duration) {
        match event {
            Event::ChunkHeld(media) => self.input(Input::ChunkHeld(media), now),
            Event::FileComplete { index, size, .. } => self.input(Input::FileComplete { index, size }, now),
            Event::ChannelsChanged(map) => self.input(Input::Channels(map), now),
            Event::ParticipantFailed { participant, error } => {
                self.give_up(participant, error.to_string(), now);
            }
            Event::Failed(error) => self.input(Input::Fail { error: error.to_string() }, now),
            Event::Ended => self.input(Input::PipelineEnded, now),
        }
    }

    /// Nothing more of a participant can be recorded; the others go on.
    fn give_up(&mut self, participant: ParticipantNumber, reason: String, now: Duration) {
        if self.feeds.contains_key(&participant) {
            tracing::warn!(participant, %reason, "a participant's media cannot be recorded");
            self.input(Input::Trouble { participant, reason, silent: true }, now);
        }
    }

    fn perform(&mut self, effect: Effect, now: Duration) {
        match effect {
            Effect::Append(entry) => {
                if let Err(error) = self.journal.append(&entry) {
                    tracing::error!(%error, "the journal cannot be written");
                }
                self.reports.push(Report::Entry(entry));
            }
            Effect::Join { participant, pin } => {
                if let Err(error) = self.running.join(participant, pin) {
                    self.input(Input::Trouble { participant, reason: error.to_string(), silent: true }, now);
                }
            }
            Effect::Leave { participant } => {
                self.running.end_track(participant);
                if let Some(feed) = self.feeds.remove(&participant) {
                    self.gone_end = self.gone_end.max(feed.end().into());
                    self.gone.insert(participant, self.track_counts(participant, &feed, now));
                }
                self.running.leave(participant);
            }
            Effect::Pause(at) => self.running.pause(clock_time(at)),
            Effect::Resume(at) => self.running.resume(clock_time(at)),
            // Waits for branches with threads of their own, and a tick waits for nobody.
            Effect::StopPipeline => self.must_stop = true,
            Effect::ChunkComplete { index, only } => {
                self.reports.push(Report::ChunkComplete { index, only });
            }
            Effect::Ended(reason) => {
                let (lost_samples, lost) = self.running.lost();
                let tracks = self.tracks();
                let counts = Counts { lost, ..self.counts_of(tracks.values()) };
                self.reports.push(Report::Ended { reason, lost_samples, tracks, counts });
            }
        }
    }
}

/// Returns how long nothing was heard of a track before recording time `now`.
fn silent(feed: &Feed, audio: &AudioCounts, now: Duration) -> Duration {
    Duration::from(feed.span(clock_time(now))).saturating_sub(Duration::from_nanos(audio.heard_ns))
}

fn clock_time(time: Duration) -> gst::ClockTime {
    gst::ClockTime::try_from(time).unwrap_or(gst::ClockTime::MAX)
}
