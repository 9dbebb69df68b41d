//! The decisions of one recording. Pure: no clock, no I/O; `now` is recording time.
//!
//! ```text
//!  Recording ──stop, all ended, time up, failure──► Stopping ──last chunk complete, or given up──► Ended
//! ```
//!
//! States go forward only. A second stop, a pause while paused, a resume while running change nothing.

use std::time::Duration;

use crate::model::{ChannelMap, ChunkMedia, EndReason, ParticipantNumber};
use crate::session::{Entry, Ledger, Opening};

/// Where a recording stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Media is recorded, or paused.
    Recording,
    /// The last chunk is being completed.
    Stopping,
    /// Nothing will be written any more.
    Ended,
}

/// What happens to a recording.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// Somebody comes.
    Join {
        /// Number, not used before.
        participant: ParticipantNumber,
        /// `participantId` of the metadata.
        name: String,
        /// Channel that the participant must have.
        pin: Option<u32>,
    },
    /// Somebody leaves.
    Leave {
        /// Who.
        participant: ParticipantNumber,
    },
    /// Somebody's media is not what it should be.
    Trouble {
        /// Who.
        participant: ParticipantNumber,
        /// What, for people.
        reason: String,
        /// Nothing more of it can be recorded: silence from now on.
        silent: bool,
    },
    /// Pauses now.
    Pause,
    /// Resumes now.
    Resume,
    /// Ends now.
    Stop {
        /// Why.
        reason: EndReason,
    },
    /// The recording cannot go on.
    Fail {
        /// Why, for people.
        error: String,
    },
    /// Participants have been given channels.
    Channels(ChannelMap),
    /// What a chunk holds.
    ChunkHeld(ChunkMedia),
    /// A chunk's file is complete in the spool.
    FileComplete {
        /// Chunk.
        index: u32,
        /// Bytes.
        size: u64,
    },
    /// Nothing more will come from the pipeline.
    PipelineEnded,
}

/// What follows from it.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// To be appended to the journal.
    Append(Entry),
    /// To be built in the pipeline.
    Join {
        /// Who.
        participant: ParticipantNumber,
        /// Channel that the participant must have.
        pin: Option<u32>,
    },
    /// To be taken out of the pipeline.
    Leave {
        /// Who.
        participant: ParticipantNumber,
    },
    /// The pipeline is to pause at this recording time.
    Pause(Duration),
    /// The pipeline is to resume at this recording time.
    Resume(Duration),
    /// The pipeline is to end.
    StopPipeline,
    /// A chunk can be finalised; `only` when it is the recording's only one.
    ChunkComplete {
        /// Which.
        index: u32,
        /// There was no other and will be none.
        only: bool,
    },
    /// The recording is over.
    Ended(EndReason),
}

/// One recording.
#[derive(Debug)]
pub struct Core {
    state: State,
    ledger: Ledger,
    paused: bool,
    /// The first chunk was completed while the recording was being stopped: whether it is the only one is not known
    /// yet.
    first_held: bool,
    end: EndReason,
    error: Option<String>,
}

impl Core {
    /// Begins a recording; the first effect is its opening.
    pub fn new(opening: Opening) -> (Self, Vec<Effect>) {
        let began = Effect::Append(Entry::Began(opening.clone()));
        let core = Self {
            state: State::Recording,
            ledger: Ledger::new(opening),
            paused: false,
            first_held: false,
            end: EndReason::Stopped,
            error: None,
        };
        (core, vec![began])
    }

    /// Returns where the recording stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// Returns how long the recording was paused before recording time `until`.
    pub fn paused(&self, until: Duration) -> Duration {
        self.ledger.paused(until)
    }

    /// Takes what happens at recording time `now` and returns what follows, in order.
    pub fn on(&mut self, input: Input, now: Duration) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            Input::Channels(map) => self.append(Entry::Channels { map }, &mut effects),
            Input::ChunkHeld(media) => {
                let index = media.index;
                self.append(Entry::ChunkHeld { media }, &mut effects);
                self.chunk_progressed(index, &mut effects);
            }
            Input::FileComplete { index, size } => {
                self.append(Entry::FileComplete { index, size }, &mut effects);
                self.chunk_progressed(index, &mut effects);
            }
            Input::PipelineEnded => self.ended(now, &mut effects),
            Input::Fail { error } => {
                if self.error.is_none() {
                    self.error = Some(error.clone());
                    self.append(Entry::Failed { at: now, error }, &mut effects);
                }
                self.stop(EndReason::Failed, &mut effects);
                // Also where it was being stopped for a better reason.
                self.end = EndReason::Failed;
            }
            _ if self.state != State::Recording => (),
            Input::Join { participant, name, pin } => {
                self.append(Entry::Joined { at: now, participant, name }, &mut effects);
                effects.push(Effect::Join { participant, pin });
            }
            Input::Leave { participant } => {
                self.append(Entry::Left { at: now, participant }, &mut effects);
                effects.push(Effect::Leave { participant });
            }
            Input::Trouble { participant, reason, silent } => {
                self.append(Entry::Trouble { at: now, participant, reason, silent }, &mut effects);
                if silent {
                    effects.push(Effect::Leave { participant });
                }
            }
            Input::Pause if !self.paused => {
                self.paused = true;
                self.append(Entry::Paused { at: now }, &mut effects);
                effects.push(Effect::Pause(now));
            }
            Input::Resume if self.paused => {
                self.paused = false;
                self.append(Entry::Resumed { at: now }, &mut effects);
                effects.push(Effect::Resume(now));
            }
            Input::Pause | Input::Resume => (),
            Input::Stop { reason } => self.stop(reason, &mut effects),
        }
        effects
    }

    fn append(&mut self, entry: Entry, effects: &mut Vec<Effect>) {
        self.ledger.apply(&entry);
        effects.push(Effect::Append(entry));
    }

    fn stop(&mut self, reason: EndReason, effects: &mut Vec<Effect>) {
        if self.state == State::Recording {
            self.state = State::Stopping;
            self.end = reason;
            effects.push(Effect::StopPipeline);
        }
    }

    fn chunk_progressed(&mut self, index: u32, effects: &mut Vec<Effect>) {
        if index > 0 {
            self.release_first(false, effects);
        }
        if self.ledger.chunks.get(&index).and_then(|row| row.complete()).is_none() {
            return;
        }
        // A first chunk that ends before the recording does has a second one after it. What the pipeline still held
        // back when it was stopped may make one, too.
        if index == 0 && self.state == State::Stopping && self.ledger.chunks.len() == 1 {
            self.first_held = true;
            return;
        }
        effects.push(Effect::ChunkComplete { index, only: false });
    }

    fn release_first(&mut self, only: bool, effects: &mut Vec<Effect>) {
        if std::mem::take(&mut self.first_held) {
            effects.push(Effect::ChunkComplete { index: 0, only });
        }
    }

    fn ended(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        if self.state == State::Ended {
            return;
        }
        self.state = State::Ended;
        self.release_first(true, effects);
        let entry = Entry::Ended { at: now, reason: self.end, error: self.error.clone() };
        self.append(entry, effects);
        effects.push(Effect::Ended(self.end));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::journal::tests::opening;

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn core() -> Core {
        Core::new(opening()).0
    }

    fn media(index: u32) -> ChunkMedia {
        ChunkMedia { index, start: s(0), samples: 1, rate: 1, channels: 1, pauses: vec![], map: ChannelMap::default() }
    }

    fn file(index: u32) -> Input {
        Input::FileComplete { index, size: 1 }
    }

    #[test]
    fn pause_twice_keeps_one_interval() {
        let mut core = core();
        assert_eq!(core.on(Input::Pause, s(1)).last(), Some(&Effect::Pause(s(1))));
        assert_eq!(core.on(Input::Pause, s(2)), []);
        assert_eq!(core.on(Input::Resume, s(3)).last(), Some(&Effect::Resume(s(3))));
        assert_eq!(core.on(Input::Resume, s(4)), []);
        assert_eq!(core.ledger.pauses(s(9)).len(), 1);
    }

    #[test]
    fn nothing_but_its_end_happens_to_a_recording_that_stops() {
        let mut core = core();
        assert_eq!(core.on(Input::Stop { reason: EndReason::Stopped }, s(1)), [Effect::StopPipeline]);
        for input in
            [Input::Pause, Input::Resume, Input::Leave { participant: 0 }, Input::Stop { reason: EndReason::Failed }]
        {
            assert_eq!(core.on(input, s(2)), []);
        }
        let effects = core.on(Input::PipelineEnded, s(3));
        assert_eq!(effects.last(), Some(&Effect::Ended(EndReason::Stopped)));
        assert_eq!(core.on(Input::PipelineEnded, s(3)), []);
        assert_eq!(core.state(), State::Ended);
    }

    #[test]
    fn a_failure_keeps_its_first_reason() {
        let mut core = core();
        core.on(Input::Fail { error: "disk full".into() }, s(1));
        core.on(Input::Fail { error: "then this".into() }, s(1));
        core.on(Input::PipelineEnded, s(2));
        let failed = Some((s(2), EndReason::Failed, Some("disk full".into())));
        assert_eq!(core.ledger.end, failed);

        let mut stopping = self::core();
        stopping.on(Input::Stop { reason: EndReason::MediaEnded }, s(1));
        stopping.on(Input::Fail { error: "disk full".into() }, s(1));
        stopping.on(Input::PipelineEnded, s(2));
        assert_eq!(stopping.ledger.end, failed);
    }

    #[test]
    fn the_only_chunk_is_known_by_when_it_ends() {
        let mut first = core();
        first.on(Input::ChunkHeld(media(0)), s(1));
        let effects = first.on(file(0), s(1));
        assert_eq!(effects.last(), Some(&Effect::ChunkComplete { index: 0, only: false }));

        let held_when_stopping = || {
            let mut core = core();
            core.on(Input::Stop { reason: EndReason::Stopped }, s(1));
            core.on(file(0), s(1));
            let effects = core.on(Input::ChunkHeld(media(0)), s(1));
            assert!(!effects.iter().any(|effect| matches!(effect, Effect::ChunkComplete { .. })), "{effects:?}");
            core
        };
        let mut only = held_when_stopping();
        let effects = only.on(Input::PipelineEnded, s(1));
        assert_eq!(effects.first(), Some(&Effect::ChunkComplete { index: 0, only: true }));

        // Elements held media back that made a second chunk when they were drained.
        let mut not_only = held_when_stopping();
        let effects = not_only.on(Input::ChunkHeld(media(1)), s(1));
        assert_eq!(effects.last(), Some(&Effect::ChunkComplete { index: 0, only: false }));
        let effects = not_only.on(file(1), s(1));
        assert_eq!(effects.last(), Some(&Effect::ChunkComplete { index: 1, only: false }));
        assert!(!not_only.on(Input::PipelineEnded, s(1)).contains(&Effect::ChunkComplete { index: 0, only: true }));
    }
}
