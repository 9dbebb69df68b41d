//! Runs a recording whose course is known beforehand: who joins when, which pauses, how long.

use std::time::Duration;

use crate::engine::{Clock, Recording, Report, Track};
use crate::model::{EndReason, ParticipantNumber};
use crate::session::{Input, State};

/// Somebody in the script.
pub struct Participant {
    /// `participantId` of the metadata.
    pub name: String,
    /// What is heard of them.
    pub track: Box<dyn Track>,
    /// When they join.
    pub join: Duration,
    /// When they leave, if before the end.
    pub leave: Option<Duration>,
    /// Channel that they must have.
    pub pin: Option<u32>,
}

/// The course of a recording, in recording time.
pub struct Script {
    /// Who takes part; their numbers are their places in here.
    pub participants: Vec<Participant>,
    /// Pauses: from, to.
    pub pauses: Vec<(Duration, Duration)>,
    /// When it ends; else when everybody's media has ended.
    pub duration: Option<Duration>,
    /// How much recording time a tick covers.
    pub tick: Duration,
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

    fn has_joins(&self) -> bool {
        self.0.iter().any(|(_, command)| matches!(command, Command::Join(_)))
    }
}

/// Runs a recording to its end. `go_on` is asked at every tick: when it is false the recording is stopped there.
///
/// Everything that happens is told to `report` on this thread.
pub fn run(
    recording: &mut Recording,
    script: Script,
    clock: &mut dyn Clock,
    go_on: &dyn Fn() -> bool,
    mut report: impl FnMut(Report),
) {
    let mut agenda = Agenda::new(&script);
    let Script { participants, duration, tick, .. } = script;
    let mut waiting: Vec<Option<Participant>> = participants.into_iter().map(Some).collect();
    let limit = duration.unwrap_or(Duration::MAX);
    let reason = loop {
        let due = recording.horizon().saturating_add(tick).min(limit);
        clock.wait_until(due, go_on);
        if !go_on() {
            break EndReason::Stopped;
        }
        for (at, command) in agenda.take(due, |command| matches!(command, Command::Join(_))) {
            let Command::Join(number) = command else { continue };
            if let Some(participant) = waiting.get_mut(number as usize).and_then(Option::take) {
                join(recording, number, participant, at);
            }
        }
        recording.pull(due);
        let media_end = recording.media_end().filter(|end| *end <= due && !agenda.has_joins() && duration.is_none());
        let horizon = media_end.map_or(due, |end| end.max(recording.horizon()));
        // Decoders meet the media before the gate does. The last frame of a tick reaches beyond it, and so must what is
        // known of pauses; they are noted before somebody who leaves earlier in this tick.
        let told = if media_end.is_some() { horizon } else { due.max(recording.read_end()) };
        let told = told.saturating_add(EDGE_MAX);
        for (at, command) in agenda.take(told, |command| matches!(command, Command::Pause | Command::Resume)) {
            let input = if command == Command::Pause { Input::Pause } else { Input::Resume };
            recording.input(input, at);
        }
        recording.push(due);
        for (at, command) in agenda.take(horizon, |command| matches!(command, Command::Leave(_))) {
            let Command::Leave(participant) = command else { continue };
            recording.input(Input::Leave { participant }, at);
        }
        recording.advance(horizon);
        recording.take_reports().into_iter().for_each(&mut report);
        match (recording.state(), media_end) {
            // The core has stopped it already, and knows why.
            (State::Stopping | State::Ended, _) => break EndReason::Failed,
            (State::Recording, Some(_)) => break EndReason::MediaEnded,
            (State::Recording, None) if horizon >= limit => break EndReason::DurationReached,
            (State::Recording, None) => (),
        }
    };
    recording.input(Input::Stop { reason }, recording.horizon());
    recording.take_reports().into_iter().for_each(&mut report);
}

fn join(recording: &mut Recording, number: ParticipantNumber, participant: Participant, at: Duration) {
    let Participant { name, track, leave, pin, .. } = participant;
    recording.input(Input::Join { participant: number, name, pin }, at);
    recording.feed(number, track, at, leave);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_come_in_the_order_of_their_time() {
        let s = Duration::from_secs;
        let script =
            Script { participants: vec![], pauses: vec![(s(5), s(6)), (s(1), s(5))], duration: None, tick: s(1) };
        let mut agenda = Agenda::new(&script);
        assert_eq!(agenda.take(s(5), |_| true), [(s(1), Command::Pause)]);
        let rest = [(s(5), Command::Resume), (s(5), Command::Pause), (s(6), Command::Resume)];
        assert_eq!(agenda.take(s(9), |_| true), rest);
    }
}
