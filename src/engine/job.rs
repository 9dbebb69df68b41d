//! A recording with its course: who joins when, which pauses, how long. Whoever has a clock ticks it.

use std::time::Duration;

use std::sync::Arc;
use std::sync::Mutex;

use crate::engine::{Live, PacketTrack, Recording, Report, Track};
use crate::media::Track as MediaTrack;
use crate::model::{EndReason, ParticipantNumber};
use crate::pipeline::Dot;
use crate::session::{Input, State};

/// Where a participant's media comes from.
pub enum Source {
    /// It is pulled: a file, a capture.
    Pulled(Box<dyn Track>),
    /// It comes by itself, as packets that a reader of sockets brings. For recordings on the live clock only.
    Live(Arc<Mutex<MediaTrack>>),
}

/// Somebody in the script.
pub struct Participant {
    /// `participantId` of the metadata.
    pub name: String,
    /// What is heard of them.
    pub source: Source,
    /// When they join.
    pub join: Duration,
    /// When they leave, if before the end.
    pub leave: Option<Duration>,
    /// Channel that they must have.
    pub pin: Option<u32>,
}

/// The course of a recording as far as it is known when it begins, in recording time.
pub struct Script {
    /// Who takes part; their numbers are their places in here.
    pub participants: Vec<Participant>,
    /// Pauses: from, to.
    pub pauses: Vec<(Duration, Duration)>,
    /// When it ends, if nobody stops it before.
    pub until: Until,
}

/// When a recording ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// When everybody's media has ended.
    MediaEnds,
    /// At this recording time.
    Time(Duration),
    /// Never.
    Stopped,
}

/// What is to happen to a recording that runs.
pub enum Order {
    /// Somebody joins; their number is the next one, in order of joining.
    Join {
        /// `participantId` of the metadata.
        name: String,
        /// What is heard of them.
        source: Source,
        /// Channel that they must have.
        pin: Option<u32>,
    },
    /// Somebody leaves.
    Leave(ParticipantNumber),
    /// It pauses.
    Pause,
    /// It goes on.
    Resume,
}

/// A pause may begin with a sample that is this much earlier: one at 8 kHz.
const EDGE_MAX: Duration = Duration::from_micros(125);

/// Something to happen at its time. What falls on one instant happens in this order: a pause that begins as another
/// ends must not be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Command {
    Join(ParticipantNumber),
    Resume,
    Pause,
    Leave(ParticipantNumber),
}

/// What is left to happen, in order of time.
struct Agenda(Vec<(Duration, Command)>);

impl Agenda {
    fn new(script: &Script) -> Self {
        let mut commands = Vec::new();
        for (number, participant) in script.participants.iter().enumerate() {
            let number = number as ParticipantNumber;
            commands.push((participant.join, Command::Join(number)));
            commands.extend(participant.leave.map(|leave| (leave, Command::Leave(number))));
        }
        for (from, to) in &script.pauses {
            commands.push((*from, Command::Pause));
            commands.push((*to, Command::Resume));
        }
        commands.sort_unstable();
        Self(commands)
    }

    /// Takes the commands that are due before `horizon`, as far as `wanted`.
    fn take(&mut self, horizon: Duration, wanted: fn(&Command) -> bool) -> Vec<(Duration, Command)> {
        self.0.extract_if(.., |(at, command)| *at < horizon && wanted(command)).collect()
    }

    fn add(&mut self, at: Duration, command: Command) {
        let place = self.0.partition_point(|known| *known <= (at, command));
        self.0.insert(place, (at, command));
    }

    fn has_joins(&self) -> bool {
        self.0.iter().any(|(_, command)| matches!(command, Command::Join(_)))
    }
}

/// A recording and what is left to happen to it.
pub struct Job {
    recording: Recording,
    agenda: Agenda,
    waiting: Vec<Option<Participant>>,
    /// Recording time zero, in ns of the monotonic clock.
    zero_ns: i64,
    until: Until,
    /// Somebody stopped it here, and why.
    stopped: Option<(Duration, EndReason)>,
    /// What happens before this time comes too late.
    told: Duration,
    /// When the last order takes effect: they do in the order in which they were given.
    ordered: Option<Duration>,
}

impl Job {
    /// Returns a job that has not begun; recording time zero is at `zero_ns` of the monotonic clock.
    pub fn new(recording: Recording, script: Script, zero_ns: i64) -> Self {
        let agenda = Agenda::new(&script);
        let waiting = script.participants.into_iter().map(Some).collect();
        Self {
            recording,
            agenda,
            waiting,
            zero_ns,
            until: script.until,
            stopped: None,
            told: Duration::ZERO,
            ordered: None,
        }
    }

    /// Returns how many have a number so far.
    pub fn n_participants(&self) -> ParticipantNumber {
        self.waiting.len() as ParticipantNumber
    }

    /// Returns who draws its pipeline.
    pub(super) fn dot(&self) -> Dot {
        self.recording.dot()
    }

    /// Returns the name of what is recorded.
    pub fn graph(&self) -> &str {
        self.recording.graph()
    }

    /// Returns recording time up to which everything is in the files.
    pub fn horizon(&self) -> Duration {
        self.recording.horizon()
    }

    /// Lets the recording end at recording time `at`: what came before is recorded, as far as it is not passed. Who
    /// asks for the earliest end says why.
    pub fn stop(&mut self, at: Duration, reason: EndReason) {
        if self.stopped.is_none_or(|(before, _)| at < before) {
            self.stopped = Some((at, reason));
        }
    }

    /// Lets something happen at recording time `at`, or as early as it still can; returns by how much it is late.
    pub fn order(&mut self, at: Duration, order: Order) -> Duration {
        let late = self.told.saturating_sub(at);
        let at = possible(at, self.told, self.ordered);
        self.ordered = Some(at);
        let command = match order {
            Order::Join { name, source, pin } => {
                self.waiting.push(Some(Participant { name, source, join: at, leave: None, pin }));
                Command::Join((self.waiting.len() - 1) as ParticipantNumber)
            }
            Order::Leave(participant) => Command::Leave(participant),
            Order::Pause => Command::Pause,
            Order::Resume => Command::Resume,
        };
        self.agenda.add(at, command);
        late
    }

    /// Moves the recording on to recording time `due`, or to its end; returns why it ends, when it does.
    pub fn tick(&mut self, due: Duration) -> Option<EndReason> {
        let limit = self.limit();
        let due = due.max(self.recording.horizon()).min(limit);
        for (at, command) in self.agenda.take(due, |command| matches!(command, Command::Join(_))) {
            let Command::Join(number) = command else { continue };
            self.join(number, at);
        }
        self.recording.pull(due);
        let is_over = !self.agenda.has_joins() && self.until == Until::MediaEnds;
        let media_end = self.recording.media_end().filter(|end| *end <= due && is_over);
        let horizon = media_end.map_or(due, |end| end.max(self.recording.horizon()));
        // Decoders meet the media before the gate does. The last frame of a tick reaches beyond it, and so must what is
        // known of pauses; they are noted before somebody who leaves earlier in this tick.
        let told = if media_end.is_some() { horizon } else { due.max(self.recording.read_end()) };
        let told = told.saturating_add(EDGE_MAX);
        self.told = self.told.max(told);
        for (at, command) in self.agenda.take(told, |command| matches!(command, Command::Pause | Command::Resume)) {
            let input = if command == Command::Pause { Input::Pause } else { Input::Resume };
            self.recording.input(input, at);
        }
        self.recording.push(due);
        for (at, command) in self.agenda.take(horizon, |command| matches!(command, Command::Leave(_))) {
            let Command::Leave(participant) = command else { continue };
            self.recording.input(Input::Leave { participant }, at);
        }
        self.recording.advance(horizon);
        match (self.recording.state(), media_end) {
            // The core has stopped it already, and knows why.
            (State::Stopping | State::Ended, _) => Some(EndReason::Failed),
            (State::Recording, Some(_)) => Some(EndReason::MediaEnded),
            (State::Recording, None) if horizon < limit => None,
            (State::Recording, None) => match self.stopped.filter(|(at, _)| *at <= horizon) {
                Some((_, reason)) => Some(reason),
                None => Some(EndReason::DurationReached),
            },
        }
    }

    /// Ends the recording where it is. Waits for branches with threads of their own, as long as the recording's
    /// deadline allows.
    pub fn end(&mut self, reason: EndReason) {
        self.recording.end(reason);
    }

    /// Returns up to when all that arrived is here, in ns of the monotonic clock; None where nothing is on its way.
    pub fn read_ns(&self) -> Option<i64> {
        self.recording.read_ns()
    }

    /// Returns how long [`Self::end`] may take.
    pub fn close_deadline(&self) -> Duration {
        self.recording.close_deadline()
    }

    /// Returns what has happened since the last call.
    pub fn take_reports(&mut self) -> Vec<Report> {
        self.recording.take_reports()
    }

    fn limit(&self) -> Duration {
        let time = match self.until {
            Until::Time(time) => Some(time),
            Until::MediaEnds | Until::Stopped => None,
        };
        let stopped = self.stopped.map(|(at, _)| at);
        time.into_iter().chain(stopped).min().unwrap_or(Duration::MAX)
    }

    fn join(&mut self, number: ParticipantNumber, at: Duration) {
        let Some(participant) = self.waiting.get_mut(number as usize).and_then(Option::take) else { return };
        let Participant { name, source, leave, pin, .. } = participant;
        let track: Box<dyn Track> = match source {
            Source::Pulled(track) => track,
            Source::Live(track) => {
                let joined_ns = self.zero_ns.saturating_add(i64::try_from(at.as_nanos()).unwrap_or(i64::MAX));
                Box::new(PacketTrack::new(track, joined_ns, Live))
            }
        };
        self.recording.input(Input::Join { participant: number, name, pin }, at);
        self.recording.feed(number, track, at, leave);
    }
}

/// Returns when an order takes effect that is meant for `at`: not before what decoders were told of, and behind the
/// last order, since two at one instant would happen in the order of [`Command`].
fn possible(at: Duration, told: Duration, last: Option<Duration>) -> Duration {
    let after_last = last.map_or(Duration::ZERO, |last| last.saturating_add(Duration::from_nanos(1)));
    at.max(told).max(after_last)
}

/// Runs a job to its end as fast as the machine can, `tick` by `tick` of recording time. `go_on` is asked before every
/// tick: when it is false the recording is stopped there.
///
/// Everything that happens is told to `report` on this thread.
pub fn run(job: &mut Job, tick: Duration, go_on: &dyn Fn() -> bool, mut report: impl FnMut(Report)) {
    let reason = loop {
        if !go_on() {
            break EndReason::Stopped;
        }
        let ended = job.tick(job.horizon().saturating_add(tick));
        job.take_reports().into_iter().for_each(&mut report);
        if let Some(reason) = ended {
            break reason;
        }
    };
    job.end(reason);
    job.take_reports().into_iter().for_each(&mut report);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_that_come_too_late_happen_in_the_order_in_which_they_were_given() {
        let s = Duration::from_secs;
        let pause = possible(s(1), s(5), None);
        let resume = possible(s(2), s(5), Some(pause));
        assert_eq!((pause, resume), (s(5), s(5) + Duration::from_nanos(1)));
        let script = Script { participants: vec![], pauses: vec![], until: Until::Stopped };
        let mut agenda = Agenda::new(&script);
        agenda.add(pause, Command::Pause);
        agenda.add(resume, Command::Resume);
        assert_eq!(agenda.take(s(9), |_| true), [(pause, Command::Pause), (resume, Command::Resume)]);
        assert_eq!(possible(s(7), s(5), Some(resume)), s(7), "in time");
    }

    #[test]
    fn commands_come_in_the_order_of_their_time() {
        let s = Duration::from_secs;
        let pauses = vec![(s(5), s(6)), (s(1), s(5))];
        let script = Script { participants: vec![], pauses, until: Until::MediaEnds };
        let mut agenda = Agenda::new(&script);
        assert_eq!(agenda.take(s(5), |_| true), [(s(1), Command::Pause)]);
        let rest = [(s(5), Command::Resume), (s(5), Command::Pause), (s(6), Command::Resume)];
        assert_eq!(agenda.take(s(9), |_| true), rest);
    }
}
