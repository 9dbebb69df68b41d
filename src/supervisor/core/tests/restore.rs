//! What the next process makes of what one that was killed has left.

use super::*;
use crate::supervisor::RecordingView;

use crate::catalog::RecordingRow;
use crate::catalog::Rows;
use crate::model::ChannelMap;
use crate::session::Entry;
use crate::session::Ledger;
use crate::session::Opening;
use crate::session::Owner;
use crate::storage::Left;
use crate::storage::Leftovers;

/// The catalog of a service that was killed, as the next one reads it.
fn rows(saved: &[Effect]) -> Rows {
    let mut rows = Rows::default();
    for effect in saved {
        let Effect::Save(update) = effect else { panic!("{effect:?}") };
        match update.clone() {
            Update::Recording(row) => {
                rows.recordings.retain(|other| other.id != row.id);
                rows.recordings.push(row);
            }
            Update::Chunk(row) => rows.chunks.push(row),
            Update::Repeat(row) => rows.repeats.push(row),
            Update::Call(row) => rows.calls.push(row),
            Update::CallGone(id) => rows.calls.retain(|row| row.id != id),
            Update::Participant(row) => rows.participants.push(row),
            other => panic!("{other:?}"),
        }
    }
    rows
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// What is left of a part, whose journal says this.
fn left(row: &RecordingRow, part: u32, n_chunks: u32, entries: &[Entry]) -> Left {
    let opening = Opening {
        recording_id: row.id.0,
        call_id: row.call.0,
        owner: Some(Box::new(Owner { resource: row.resource.0, region: "eus".to_owned() })),
        started_at: row.started_at,
        ..crate::session::opening()
    };
    let mut ledger = Ledger::new(opening);
    entries.iter().for_each(|entry| ledger.apply(entry));
    Left { dir: "/nowhere".into(), part, ledger, n_chunks }
}

/// A process that begins with what another has left; half an hour later.
struct Restarted {
    rig: Rig,
    recording: RecordingId,
    joined: Vec<MemberKey>,
}

impl Restarted {
    fn new(rows: Rows, parts: &[Left]) -> Self {
        Self::with(rows, &Leftovers { parts: parts.to_vec(), ..Leftovers::default() })
    }

    fn with(rows: Rows, left: &Leftovers) -> Self {
        let mut rig = Rig::new();
        rig.now.monotonic_ns = 5 * SECOND_NS;
        rig.now.wall += jiff::SignedDuration::from_secs(1_800);
        let recording = rows.recordings.first().map(|row| row.id);
        let recording = recording.or(left.parts.first().map(|part| RecordingId(part.ledger.opening.recording_id)));
        let mut joined = Vec::new();
        for effect in rig.core.restore(rows, left, rig.now) {
            match effect {
                Effect::OpenTrack { token: None, port: Some(port), joining } => {
                    joined.push(joining.key);
                    let opened = Ok(([127, 0, 0, 1], port).into());
                    assert_eq!(rig.on(Input::TrackOpened { token: None, port: Some(port), joining, opened }), []);
                }
                other => panic!("{other:?}"),
            }
        }
        Self { rig, recording: recording.expect("there is one"), joined }
    }

    fn view(&mut self) -> RecordingView {
        match self.rig.ask(OWN, Ask::Recording(self.recording)).0 {
            Some(Ok(Answer::Recording(view))) => *view,
            other => panic!("{other:?}"),
        }
    }

    fn heard(&mut self) -> Vec<Effect> {
        let heard = self.joined.iter().copied().collect();
        self.rig.on(Input::Heard(heard))
    }

    fn begins(&mut self) -> Begin {
        let effects = self.heard();
        let [Effect::Begin(begin)] = &effects[..] else { panic!("{effects:?}") };
        begin.clone()
    }

    /// How it ended, when what is left is stored.
    fn ends(&mut self, reason: EndReason) -> EndReason {
        let (_, effects) = self.rig.part_ended(self.recording, 0, reason);
        assert_eq!(effects, [Effect::Discard(self.recording)]);
        self.view().row.end.expect("it has ended").reason
    }
}

/// A call with somebody in it that is recorded, and what is asked of it before the service is killed.
fn killed(asked: &[fn(RecordingId) -> Ask]) -> (Rows, RecordingRow) {
    let mut rig = Rig::new();
    let call = rig.call("a");
    rig.come(call, "ada");
    let recording = rig.running("a");
    for ask in asked {
        rig.pass(1);
        assert_eq!(rig.ask(OWN, ask(recording)).0, DONE);
    }
    let rows = rows(&rig.saved);
    let row = rows.recordings[0].clone();
    (rows, row)
}

#[test]
fn what_was_stored_before_a_restart_is_there_after_it() {
    let mut rig = Rig::new();
    let call = rig.call("a");
    rig.come(call, "ada");
    let (_, effects) = rig.start("a", Some(("r1", 7)));
    let (recording, _) = rig.begun(&effects);
    rig.ask(OWN, Ask::Stop(recording));
    let document = rig.end(recording);
    let before = rig.ask(OWN, Ask::Recording(recording)).0;
    // A catalog that was lost is told the same.
    let all: Vec<_> = rig.core.all_updates().into_iter().map(Effect::Save).collect();
    assert_eq!(rows(&all), rows(&rig.saved));

    let mut again = Rig::new();
    let to_delete = ChunkId::new();
    let rows = Rows { deletions: vec![to_delete], participants: vec![], ..rows(&rig.saved) };
    assert_eq!(again.core.restore(rows, &Leftovers::default(), again.now), [Effect::Delete(to_delete)]);
    assert_eq!(again.ask(OWN, Ask::Recording(recording)).0, before);
    assert!(matches!(again.ask(OWN, Ask::Document(document)).0, Some(Ok(Answer::Document(_)))));
    assert_eq!(again.ask(OTHER, Ask::Document(document)).0, refused(Refusal::UnknownDocument));
    let (answer, effects) = again.start("a", Some(("r1", 7)));
    assert_eq!((answer.as_ref().and_then(started), effects), (Some(recording), vec![]));
    assert_eq!(again.start("a", Some(("r1", 8))), (refused(Refusal::RequestDiffers), vec![]));
    // An hour is over, and then a day.
    assert_eq!(again.pass(3_600), [Effect::Forget(recording), Effect::Delete(document)]);
    let gone = [Update::RecordingGone(recording), Update::ChunkDoomed(document)].map(Effect::Save);
    assert_eq!(std::mem::take(&mut again.saved), gone);
    again.pass(24 * 3_600);
    assert!(matches!(again.saved[..], [Effect::Save(Update::RepeatsGone(_))]), "{:?}", again.saved);
}

#[test]
fn a_recording_goes_on_with_its_next_chunk_when_somebody_is_heard() {
    let (rows, row) = killed(&[]);
    let joined = Entry::Joined { at: ms(0), participant: 0, name: "ada".to_owned() };
    let map = ChannelMap { channels: vec![None, None, Some(0)], without_channel: vec![] };
    // The second was killed before it could say anything.
    let parts = [left(&row, 1, 2, &[]), left(&row, 0, 2, &[joined, Entry::Channels { map }])];
    let mut again = Restarted::new(rows, &parts);
    assert_eq!((again.joined.len(), again.view().phase), (1, Phase::Recording));
    assert_eq!(again.rig.on(Input::Heard([].into())), []);
    again.rig.pass(1);
    let begin = again.begins();
    assert_eq!((begin.recording, begin.call, begin.part, begin.first_chunk), (row.id, row.call, 2, 2));
    // All that was heard since nobody was is in it; everybody has the channel of before.
    assert_eq!((begin.at_ns, begin.paused), (5 * SECOND_NS, false));
    assert_eq!(begin.members.iter().map(|member| (&member.id[..], member.pin)).collect::<Vec<_>>(), [("ada", Some(2))]);
    assert_eq!(again.heard(), [], "it begins once");
    assert_eq!(again.rig.on(Input::Begun { recording: row.id, begun: Ok(()) }), []);
    again.rig.pass(60);
    assert_eq!(again.view().row.started_at, row.started_at);
    // What was left may be stored before or after it has ended.
    assert_eq!(again.rig.part_ended(row.id, 1, EndReason::Recovered).1, []);
    let (last, effects) = again.rig.part_ended(row.id, 2, EndReason::Failed);
    assert_eq!((effects, again.view().row.end, again.view().chunks.len()), (vec![], None, 0));
    assert_eq!(again.ends(EndReason::Recovered), EndReason::Failed, "as the last part did");
    assert_eq!(again.view().chunks.iter().map(|chunk| chunk.index).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(matches!(again.rig.ask(OWN, Ask::Document(last)).0, Some(Ok(Answer::Document(_)))));
}

#[test]
fn what_is_not_stored_is_kept_until_it_is() {
    let (rows, row) = killed(&[Ask::Stop]);
    let mut again = Restarted::new(rows, &[left(&row, 0, 1, &[])]);
    let ended = |is_whole, chunks| {
        let outcome = Outcome { part: 0, reason: EndReason::Recovered, error: None, is_whole };
        Input::PartEnded { recording: row.id, chunks, outcome }
    };
    assert_eq!(again.rig.on(ended(false, Vec::new())), [Effect::Discard(row.id)]);
    assert_eq!(again.view().phase, Phase::Ended);
    // Its time is over in an hour, but not while that is the only copy.
    assert_eq!(again.rig.pass(5_000), []);
    let (id, format, sha256) = (ChunkId::new(), "wav".to_owned(), String::new());
    let chunk = ChunkRow { id, recording: row.id, index: 0, format, size: 44, sha256, duration: ms(1) };
    assert_eq!(again.rig.on(ended(true, vec![chunk])), [Effect::Discard(row.id)]);
    // And from then on for as long as anything.
    assert_eq!(again.rig.pass(3_599), []);
    assert_eq!(again.rig.pass(1), [Effect::Forget(row.id), Effect::Delete(id)]);
}

#[test]
fn what_is_left_of_a_recording_whose_time_is_over_is_stored_first() {
    let (rows, row) = killed(&[Ask::Stop]);
    let at = row.started_at;
    let end = EndRow { reason: EndReason::Stopped, error: None, ready_at: at, expires_at: at };
    let recordings = vec![RecordingRow { end: Some(end), ..row.clone() }];
    let mut again = Restarted::new(Rows { recordings, ..rows }, &[left(&row, 0, 1, &[])]);
    assert_eq!(again.rig.pass(10), []);
    let (document, _) = again.rig.part_ended(row.id, 0, EndReason::Stopped);
    assert_eq!(again.rig.pass(3_599), []);
    assert_eq!(again.rig.pass(1), [Effect::Forget(row.id), Effect::Delete(document)]);
}

#[test]
fn a_recording_that_nobody_is_heard_of_ends() {
    let (rows, row) = killed(&[]);
    let mut again = Restarted::new(rows.clone(), &[left(&row, 0, 1, &[])]);
    again.rig.pass(29);
    assert_eq!(again.view().phase, Phase::Recording);
    again.rig.pass(1);
    assert_eq!(again.view().phase, Phase::Stopping);
    assert_eq!(again.heard(), [], "it is too late");
    assert_eq!(again.ends(EndReason::Recovered), EndReason::Recovered);
    // What was stored before that.
    let mut again = Restarted::new(rows, &[left(&row, 0, 1, &[])]);
    assert_eq!(again.rig.part_ended(row.id, 0, EndReason::Recovered).1, []);
    assert_eq!(again.rig.pass(30), [Effect::Discard(row.id)]);
    assert_eq!(again.view().row.end.map(|end| end.reason), Some(EndReason::Recovered));
}

#[test]
fn what_was_to_end_ends_for_the_reason_that_was_told() {
    let (rows, row) = killed(&[Ask::Stop]);
    let mut again = Restarted::new(rows, &[left(&row, 0, 1, &[])]);
    assert_eq!((again.view().phase, again.heard()), (Phase::Stopping, vec![]));
    assert_eq!(again.ends(EndReason::Recovered), EndReason::Stopped);
    // Its journal knows more than the catalog.
    let (rows, row) = killed(&[]);
    let ended = Entry::Ended { at: ms(9), reason: EndReason::CallEnded, error: None };
    let mut again = Restarted::new(rows, &[left(&row, 0, 1, &[ended])]);
    assert_eq!(again.heard(), []);
    assert_eq!(again.ends(EndReason::CallEnded), EndReason::CallEnded);
    // Its call has ended, or was not known.
    let (rows, row) = killed(&[]);
    let mut again = Restarted::new(Rows { calls: vec![], ..rows }, &[left(&row, 0, 1, &[])]);
    assert_eq!(again.ends(EndReason::Recovered), EndReason::Recovered);
}

/// What is said in a pause is nobody's.
#[test]
fn a_recording_goes_on_paused_where_it_was_paused() {
    let (pause, resume) = (Entry::Paused { at: ms(1_500) }, Entry::Resumed { at: ms(1_600) });
    let is_paused = |asked: &[fn(RecordingId) -> Ask], entries: &[Entry]| {
        let (rows, row) = killed(asked);
        Restarted::new(rows, &[left(&row, 0, 1, entries)]).begins().paused
    };
    assert!(is_paused(&[Ask::Pause], &[]) && !is_paused(&[Ask::Pause, Ask::Resume], &[]));
    // The later one is right: the catalog may be behind, and so may the journal.
    assert!(is_paused(&[], std::slice::from_ref(&pause)));
    assert!(!is_paused(&[Ask::Pause], &[pause.clone(), resume.clone()]));
    assert!(!is_paused(&[Ask::Pause, Ask::Resume], std::slice::from_ref(&pause)));
    assert!(is_paused(&[Ask::Pause, Ask::Resume, Ask::Pause], &[pause, resume]));
}

#[test]
fn what_is_asked_of_a_recording_while_somebody_is_awaited_is_done() {
    let (rows, row) = killed(&[Ask::Pause]);
    let mut again = Restarted::new(rows.clone(), &[left(&row, 0, 1, &[])]);
    again.rig.pass(1);
    assert_eq!(again.rig.ask(OWN, Ask::Resume(row.id)), (DONE, vec![]));
    again.rig.pass(1);
    let begin = again.begins();
    // Not what was said in the pause.
    assert_eq!((begin.paused, begin.at_ns), (false, 6 * SECOND_NS));
    again.rig.pass(1);
    let (done, effects) = again.rig.ask(OWN, Ask::Pause(row.id));
    assert_eq!((done, effects), (DONE, vec![]));
    let pause = Effect::Change { recording: row.id, at_ns: 8 * SECOND_NS, change: Change::Pause };
    assert_eq!(again.rig.on(Input::Begun { recording: row.id, begun: Ok(()) }), [pause]);
    // Stopped before it goes on.
    let mut again = Restarted::new(rows, &[left(&row, 0, 1, &[])]);
    assert_eq!(again.rig.ask(OWN, Ask::Stop(row.id)), (DONE, vec![]));
    assert_eq!(again.rig.ask(OWN, Ask::Stop(row.id)).0, refused(Refusal::UnknownRecording));
    assert_eq!(again.heard(), []);
    assert_eq!(again.ends(EndReason::Recovered), EndReason::Stopped);
}

#[test]
fn a_recording_does_not_go_on_where_a_part_of_it_cannot_be_read() {
    let (rows, row) = killed(&[]);
    let left = Leftovers { parts: vec![left(&row, 0, 1, &[])], damaged: [row.id].into() };
    let mut again = Restarted::with(rows, &left);
    assert_eq!(again.heard(), []);
    again.ends(EndReason::Recovered);
    assert!(again.view().row.end.and_then(|end| end.error).is_some());
}

#[test]
fn what_went_wrong_with_a_part_is_told_at_the_end() {
    let (rows, row) = killed(&[]);
    let mut again = Restarted::new(rows, &[left(&row, 0, 1, &[])]);
    let recording = again.begins().recording;
    again.rig.on(Input::Begun { recording, begun: Ok(()) });
    let ended = |part, reason, error: Option<&str>| Input::PartEnded {
        recording,
        chunks: vec![],
        outcome: Outcome { part, reason, error: error.map(str::to_owned), is_whole: true },
    };
    again.rig.on(ended(0, EndReason::Recovered, Some("disk full")));
    again.rig.ask(OWN, Ask::Stop(recording));
    assert_eq!(again.rig.on(ended(1, EndReason::Stopped, None)), [Effect::Discard(recording)]);
    let end = again.view().row.end.expect("it has ended");
    assert_eq!((end.reason, end.error.as_deref()), (EndReason::Stopped, Some("disk full")));
}

#[test]
fn a_part_that_does_not_begin_is_tried_again() {
    let (rows, row) = killed(&[]);
    let mut again = Restarted::new(rows, &[left(&row, 0, 1, &[])]);
    let full = || Err(Refusal::NoCapacity("full".to_owned()));
    assert_eq!(again.begins().part, 1);
    assert_eq!(again.rig.on(Input::Begun { recording: row.id, begun: full() }), []);
    assert_eq!(again.begins().part, 1);
    // Stopped in the meantime.
    again.rig.ask(OWN, Ask::Stop(row.id));
    assert_eq!(again.rig.on(Input::Begun { recording: row.id, begun: full() }), []);
    assert_eq!(again.ends(EndReason::Recovered), EndReason::Stopped);
}

#[test]
fn a_recording_that_the_catalog_does_not_know_is_its_owners() {
    let (rows, row) = killed(&[]);
    let parts = [left(&row, 0, 1, &[Entry::Paused { at: ms(0) }])];
    let without = |rows: &Rows| Rows { recordings: vec![], ..rows.clone() };
    // Nobody was told that it had begun.
    for rows in [without(&rows), Rows::default()] {
        let mut again = Restarted::new(rows, &parts);
        assert_eq!((again.view().phase, again.heard()), (Phase::Stopping, vec![]));
        assert_eq!(again.ends(EndReason::Recovered), EndReason::Recovered);
    }
    // Nobody is there whose it could be.
    let stranger = RecordingRow { resource: ResourceId(uuid::Uuid::from_u128(9)), ..row.clone() };
    let mut rig = Rig::new();
    let left = Leftovers { parts: vec![left(&stranger, 0, 1, &[])], ..Leftovers::default() };
    assert_eq!(rig.core.restore(Rows::default(), &left, rig.now), []);
    assert!(!rig.core.knows(row.id));
}

#[test]
fn what_could_not_be_stored_before_is_stored_later() {
    let (rows, row) = killed(&[Ask::Stop]);
    let mut first = Restarted::new(rows.clone(), &[left(&row, 0, 2, &[])]);
    assert_eq!(first.ends(EndReason::Recovered), EndReason::Stopped);
    let ended: Vec<_> = first.rig.core.all_updates().into_iter().map(Effect::Save).collect();
    let mut again = Restarted::new(self::rows(&ended), &[left(&row, 1, 2, &[])]);
    let (late, effects) = again.rig.part_ended(row.id, 1, EndReason::Stopped);
    assert_eq!(effects, [Effect::Discard(row.id)]);
    assert!(matches!(again.rig.saved.last(), Some(Effect::Save(Update::Chunk(chunk))) if chunk.id == late));
    assert_eq!(again.view().chunks.len(), 2);
    assert!(matches!(again.rig.ask(OWN, Ask::Document(late)).0, Some(Ok(Answer::Document(_)))));
    // What comes when its time is over is deleted.
    again.rig.pass(3_600);
    let (late, effects) = again.rig.part_ended(row.id, 1, EndReason::Stopped);
    assert_eq!(effects, [Effect::Delete(late), Effect::Discard(row.id)]);
}

#[test]
fn a_port_that_is_taken_at_first_is_opened_when_it_is_free() {
    let mut before = Rig::new();
    let call = before.call("one");
    before.come(call, "ada");
    let (rows, mut rig) = (rows(&before.saved), Rig::new());
    let effects = rig.core.restore(rows, &Leftovers::default(), rig.now);
    let [Effect::OpenTrack { token: None, port: Some(port), joining }] = &effects[..] else { panic!("{effects:?}") };
    let opened = |rig: &mut Rig, opened| {
        rig.on(Input::TrackOpened { token: None, port: Some(*port), joining: joining.clone(), opened })
    };
    let taken = || Err(Refusal::NoCapacity("it is taken".to_owned()));
    assert_eq!(opened(&mut rig, taken()), []);
    assert_eq!(rig.pass(1), effects);
    assert_eq!(opened(&mut rig, taken()), []);
    assert_eq!(rig.pass(1), effects);
    assert_eq!(opened(&mut rig, Ok(([127, 0, 0, 1], *port).into())), []);
    assert_eq!(rig.pass(1), []);
    assert_eq!(rig.core.calls.values().map(|call| call.participants.len()).sum::<usize>(), 1);
}
