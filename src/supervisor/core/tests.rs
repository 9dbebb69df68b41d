//! Calls and recordings as their owners see them.

use super::*;
use crate::media::Codec;
use crate::media::Payloads;
use crate::media::Settings;
use crate::model::Terms;
use crate::supervisor::AskedTerms;
use crate::supervisor::Repeat;
use crate::supervisor::StartAsk;
use crate::supervisor::WhichCall;
use crate::supervisor::input::Begin;
use crate::supervisor::input::Change;

mod limits;
mod restore;

const OWN: ResourceId = ResourceId(uuid::Uuid::from_u128(1));
const OTHER: ResourceId = ResourceId(uuid::Uuid::from_u128(2));
const SECOND_NS: i64 = 1_000_000_000;

/// The core, and a clock.
struct Rig {
    core: Core,
    now: Now,
    n_asked: Token,
    saved: Vec<Effect>,
}

impl Rig {
    fn new() -> Self {
        let settings = |name: &str| ResourceSettings {
            name: name.to_owned(),
            region: "eus".to_owned(),
            retention: Duration::from_secs(3_600),
            recordings_max: 2,
            participants_max: 2,
            calls_max: 50,
            tracks_max: 50,
            requests_per_second: 10,
        };
        let resources = [(OWN, settings("own")), (OTHER, settings("other"))].into();
        let policy = Policy {
            creates_on_start: false,
            empty_timeout: Duration::from_secs(100 * 24 * 3_600),
            terms: Terms::default(),
            auto_record: Vec::new(),
        };
        let now = Now { monotonic_ns: 0, wall: Timestamp::UNIX_EPOCH };
        Self { core: Core::new(resources, policy), now, n_asked: 0, saved: Vec::new() }
    }

    /// Lets something happen; what is saved is looked at by who asks for it.
    fn on(&mut self, input: Input) -> Vec<Effect> {
        let effects = self.core.on(input, self.now);
        let (saved, effects) = effects.into_iter().partition(|effect| matches!(effect, Effect::Save(_)));
        self.saved.extend(saved);
        effects
    }

    fn pass(&mut self, seconds: i64) -> Vec<Effect> {
        self.now.monotonic_ns += seconds * SECOND_NS;
        self.now.wall += jiff::SignedDuration::from_secs(seconds);
        self.on(Input::Passed)
    }

    /// Asks; returns the answer, if there is one yet, and what else follows.
    fn ask(&mut self, resource: ResourceId, ask: Ask) -> (Option<Result<Answer, Refusal>>, Vec<Effect>) {
        self.n_asked += 1;
        let mut effects = self.on(Input::Asked { token: self.n_asked, resource, ask: Box::new(ask) });
        let own = |effect: &Effect| matches!(effect, Effect::Answer(token, _) if *token == self.n_asked);
        let answered = effects.iter().position(own).map(|at| effects.remove(at));
        let answer = answered.and_then(|effect| match effect {
            Effect::Answer(_, answer) => Some(answer),
            _ => None,
        });
        (answer, effects)
    }

    fn call(&mut self, key: &str) -> CallId {
        match self.ask(OWN, Ask::CreateCall(vec![CallName::Key(key.to_owned())])).0 {
            Some(Ok(Answer::Call(view))) => view.id,
            other => panic!("{other:?}"),
        }
    }

    fn come(&mut self, call: CallId, id: &str) -> Vec<Effect> {
        let (answer, effects) = self.ask(OWN, coming(call, id));
        let [Effect::OpenTrack { token, port: None, joining }] = &effects[..] else { panic!("{answer:?} {effects:?}") };
        let opened = Ok(([127, 0, 0, 1], 20_000).into());
        self.on(Input::TrackOpened { token: *token, port: None, joining: joining.clone(), opened })
    }

    fn start(&mut self, key: &str, repeat: Option<(&str, u8)>) -> (Option<Result<Answer, Refusal>>, Vec<Effect>) {
        let repeat = repeat.map(|(id, body)| Repeat { id: id.to_owned(), body: [body; 32] });
        let (call, graph) = (WhichCall::Named(CallName::Key(key.to_owned())), "mixed-wav".to_owned());
        let pins = vec![("late".to_owned(), 3)];
        self.ask(
            OWN,
            Ask::Start(StartAsk {
                call,
                alone: true,
                graph,
                pins,
                paused: false,
                terms: AskedTerms::default(),
                rule: None,
                repeat,
            }),
        )
    }

    fn begun(&mut self, effects: &[Effect]) -> (RecordingId, Vec<Effect>) {
        let [Effect::Begin(Begin { recording, .. })] = effects else { panic!("{effects:?}") };
        (*recording, self.on(Input::Begun { recording: *recording, begun: Ok(()) }))
    }

    /// A recording of a call that runs.
    fn running(&mut self, key: &str) -> RecordingId {
        let (_, effects) = self.start(key, None);
        let (recording, told) = self.begun(&effects);
        let [Effect::Answer(token, answer)] = &told[..] else { panic!("{told:?}") };
        assert_eq!((*token, started(answer)), (self.n_asked, Some(recording)));
        recording
    }

    fn end(&mut self, recording: RecordingId) -> ChunkId {
        let (document, effects) = self.part_ended(recording, 0, EndReason::Stopped);
        assert_eq!(effects, [Effect::Discard(recording)]);
        document
    }

    /// All of a part is stored: one chunk of the same number.
    fn part_ended(&mut self, recording: RecordingId, part: u32, reason: EndReason) -> (ChunkId, Vec<Effect>) {
        let document = ChunkId::new();
        let (format, sha256) = ("wav".to_owned(), String::new());
        let (size, duration) = (44, Duration::from_secs(1));
        let chunk = ChunkRow { id: document, recording, index: part, format, size, sha256, duration };
        let outcome = Outcome { part, reason, error: None, is_whole: true };
        (document, self.on(Input::PartEnded { recording, chunks: vec![chunk], outcome }))
    }
}

fn started(answer: &Result<Answer, Refusal>) -> Option<RecordingId> {
    match answer {
        Ok(Answer::Started(recording, _)) => Some(*recording),
        _ => None,
    }
}

fn coming(call: CallId, id: &str) -> Ask {
    let track = Settings { payloads: Payloads::of(Codec::Pcmu), source: None, ssrc: None };
    Ask::AddParticipant { call, participant: id.to_owned(), display_name: None, track }
}

fn refused(refusal: Refusal) -> Option<Result<Answer, Refusal>> {
    Some(Err(refusal))
}

const DONE: Option<Result<Answer, Refusal>> = Some(Ok(Answer::Done));

#[test]
fn nothing_of_a_resource_is_there_for_another() {
    let mut rig = Rig::new();
    let call = rig.call("a");
    rig.come(call, "ada");
    let recording = rig.running("a");
    for ask in [Ask::Call(call), Ask::EndCall(call), Ask::RemoveParticipant { call, participant: "ada".to_owned() }] {
        assert_eq!(rig.ask(OTHER, ask), (refused(Refusal::UnknownCall), vec![]));
    }
    assert_eq!(rig.ask(OTHER, Ask::Calls).0, Some(Ok(Answer::Calls(vec![]))));
    for ask in [Ask::Recording, Ask::Pause, Ask::Resume, Ask::Stop] {
        assert_eq!(rig.ask(OTHER, ask(recording)), (refused(Refusal::UnknownRecording), vec![]));
    }
    rig.ask(OWN, Ask::Stop(recording));
    let document = rig.end(recording);
    for ask in [Ask::Document, Ask::DeleteDocument] {
        assert_eq!(rig.ask(OTHER, ask(document)), (refused(Refusal::UnknownDocument), vec![]));
    }
    assert!(matches!(rig.ask(OWN, Ask::Document(document)).0, Some(Ok(Answer::Document(_)))));
    // Both may have a call of the same name.
    assert!(matches!(rig.ask(OTHER, Ask::CreateCall(vec![CallName::Key("a".to_owned())])).0, Some(Ok(_))));
    let again = Ask::CreateCall(vec![CallName::Room("r".to_owned()), CallName::Key("a".to_owned())]);
    assert_eq!(rig.ask(OWN, again).0, refused(Refusal::CallExists("a".to_owned())));
}

#[test]
fn pauses_take_effect_once_and_when_they_were_asked_for() {
    let mut rig = Rig::new();
    rig.call("a");
    let recording = rig.running("a");
    rig.pass(5);
    let change = |change, seconds| vec![Effect::Change { recording, at_ns: seconds * SECOND_NS, change }];
    assert_eq!(rig.ask(OWN, Ask::Resume(recording)), (DONE, vec![]));
    assert_eq!(rig.ask(OWN, Ask::Pause(recording)), (DONE, change(Change::Pause, 5)));
    rig.pass(1);
    assert_eq!(rig.ask(OWN, Ask::Pause(recording)), (DONE, vec![]));
    assert_eq!(rig.ask(OWN, Ask::Resume(recording)), (DONE, change(Change::Resume, 6)));
    let stop = Effect::Stop { recording, at_ns: 6 * SECOND_NS + 1, reason: EndReason::Stopped };
    assert_eq!(rig.ask(OWN, Ask::Stop(recording)), (DONE, vec![stop]));
    assert_eq!(rig.ask(OWN, Ask::Stop(recording)).0, refused(Refusal::UnknownRecording));
    assert_eq!(rig.ask(OWN, Ask::Pause(recording)).0, refused(Refusal::Stopping));
    rig.end(recording);
    assert_eq!(rig.ask(OWN, Ask::Resume(recording)).0, refused(Refusal::UnknownRecording));
}

#[test]
fn a_request_that_is_made_again_is_done_once() {
    let mut rig = Rig::new();
    rig.call("a");
    let (none, effects) = rig.start("a", Some(("r1", 7)));
    assert_eq!(none, None);
    // Before there is an answer, after it, and after its end.
    assert_eq!(rig.start("a", Some(("r1", 7))), (None, vec![]));
    let (recording, told) = rig.begun(&effects);
    let [Effect::Answer(2, first), Effect::Answer(3, second)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((started(first), first), (Some(recording), second));
    let again = |rig: &mut Rig| match rig.start("a", Some(("r1", 7))) {
        (Some(answer), effects) if effects.is_empty() => started(&answer),
        other => panic!("{other:?}"),
    };
    assert_eq!(again(&mut rig), Some(recording));
    assert_eq!(rig.start("a", Some(("r1", 8))), (refused(Refusal::RequestDiffers), vec![]));
    assert_eq!(rig.start("a", Some(("r2", 7))), (refused(Refusal::AlreadyRecording), vec![]));
    rig.ask(OWN, Ask::Stop(recording));
    rig.end(recording);
    rig.pass(23 * 3_600);
    assert_eq!(again(&mut rig), Some(recording));
    rig.pass(2 * 3_600);
    assert_eq!(rig.start("a", Some(("r1", 7))).0, None, "a day is over: it is another one");
}

#[test]
fn what_did_not_begin_may_be_tried_again() {
    let mut rig = Rig::new();
    rig.call("a");
    let (_, effects) = rig.start("a", Some(("r1", 7)));
    let [Effect::Begin(Begin { recording, .. })] = effects[..] else { panic!("{effects:?}") };
    let full = Refusal::NoCapacity("full".to_owned());
    let told = rig.on(Input::Begun { recording, begun: Err(full.clone()) });
    assert_eq!(told, [Effect::Answer(rig.n_asked, Err(full))]);
    assert_eq!(rig.core.running(), []);
    assert!(matches!(rig.start("a", Some(("r1", 7))), (None, effects) if effects.len() == 1));
}

#[test]
fn who_comes_while_a_call_is_recorded_is_recorded_from_then_on() {
    let mut rig = Rig::new();
    let call = rig.call("a");
    rig.come(call, "ada");
    let (_, effects) = rig.start("a", None);
    let [Effect::Begin(begin)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(begin.members.iter().map(|member| member.id.as_str()).collect::<Vec<_>>(), ["ada"]);
    // Before the recording has begun, and when it runs.
    rig.pass(1);
    assert_eq!(rig.come(call, "late").len(), 1);
    let (recording, told) = rig.begun(&effects);
    let [_, Effect::Change { at_ns: SECOND_NS, change: Change::Join { number: 1, member }, .. }] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!((member.id.as_str(), member.pin), ("late", Some(3)));
    assert_eq!(rig.ask(OWN, coming(call, "ada")), (refused(Refusal::ParticipantExists), vec![]));
    let (done, effects) = rig.ask(OWN, Ask::RemoveParticipant { call, participant: "ada".to_owned() });
    let leave = Effect::Change { recording, at_ns: SECOND_NS + 1, change: Change::Leave(0) };
    assert_eq!((done, effects), (DONE, vec![leave]));
    let [Effect::CloseTrack(_)] = rig.pass(2)[..] else { panic!("its port is kept") };
    assert_eq!(rig.come(call, "bob").len(), 2);
}

#[test]
fn the_end_of_a_call_ends_its_recordings_and_frees_its_names() {
    let mut rig = Rig::new();
    let call = rig.call("a");
    rig.come(call, "ada");
    let recording = rig.running("a");
    let stop = Effect::Stop { recording, at_ns: 1, reason: EndReason::CallEnded };
    assert_eq!(rig.ask(OWN, Ask::EndCall(call)), (DONE, vec![stop]));
    assert_eq!(rig.start("a", None).0, refused(Refusal::UnknownCall));
    rig.call("a");
    let closed = rig.pass(2);
    assert!(matches!(closed[..], [Effect::CloseTrack(_)]), "{closed:?}");
    // A call that ends before its recording has begun.
    let mut rig = Rig::new();
    let call = rig.call("a");
    let (_, effects) = rig.start("a", None);
    rig.ask(OWN, Ask::EndCall(call));
    let (recording, told) = rig.begun(&effects);
    assert_eq!(told[1], Effect::Stop { recording, at_ns: 1, reason: EndReason::CallEnded });
}

#[test]
fn limits_hold() {
    let mut rig = Rig::new();
    for key in ["a", "b", "c"] {
        rig.call(key);
    }
    let first = rig.running("a");
    rig.running("b");
    assert_eq!(rig.start("c", None).0, refused(Refusal::TooMany("recordings at a time")));
    rig.ask(OWN, Ask::Stop(first));
    rig.end(first);
    assert_eq!(rig.start("c", None).0, None);
    let call = rig.call("d");
    rig.come(call, "ada");
    rig.come(call, "bob");
    assert_eq!(rig.ask(OWN, coming(call, "eve")).0, refused(Refusal::TooMany("participants of a call")));
}

#[test]
fn documents_are_deleted_when_their_time_is_over_or_when_their_owner_says_so() {
    let mut rig = Rig::new();
    rig.call("a");
    let recording = rig.running("a");
    rig.ask(OWN, Ask::Stop(recording));
    let kept = rig.end(recording);
    let recording = rig.running("a");
    rig.ask(OWN, Ask::Stop(recording));
    let deleted = rig.end(recording);
    assert_eq!(rig.ask(OWN, Ask::DeleteDocument(deleted)), (DONE, vec![Effect::Delete(deleted)]));
    assert_eq!(rig.ask(OWN, Ask::DeleteDocument(deleted)).0, refused(Refusal::UnknownDocument));
    assert_eq!(rig.pass(3_599), []);
    // The other one has nothing left, and is over as well.
    let over = rig.pass(1);
    assert_eq!((over.len(), over.contains(&Effect::Delete(kept))), (3, true), "{over:?}");
    assert_eq!(rig.ask(OWN, Ask::Document(kept)).0, refused(Refusal::UnknownDocument));
}

/// Instants are taken as requests come; what is decided about them may come in another order.
#[test]
fn changes_take_effect_in_the_order_in_which_they_were_decided() {
    let mut rig = Rig::new();
    rig.call("a");
    let recording = rig.running("a");
    rig.pass(10);
    assert_eq!(rig.ask(OWN, Ask::Pause(recording)).1.len(), 1);
    // Asked for before the pause, and heard of behind it.
    rig.now.monotonic_ns -= SECOND_NS;
    let resume = Effect::Change { recording, at_ns: 10 * SECOND_NS + 1, change: Change::Resume };
    assert_eq!(rig.ask(OWN, Ask::Resume(recording)), (DONE, vec![resume]));
    let stop = Effect::Stop { recording, at_ns: 10 * SECOND_NS + 2, reason: EndReason::Stopped };
    assert_eq!(rig.ask(OWN, Ask::Stop(recording)), (DONE, vec![stop]));
}

#[test]
fn who_leaves_before_a_recording_has_begun_is_not_in_it_from_then_on() {
    let mut rig = Rig::new();
    let call = rig.call("a");
    rig.come(call, "ada");
    let (_, effects) = rig.start("a", None);
    rig.pass(1);
    let gone = Ask::RemoveParticipant { call, participant: "ada".to_owned() };
    assert_eq!(rig.ask(OWN, gone), (DONE, vec![]));
    rig.pass(1);
    assert_eq!(rig.come(call, "ada").len(), 1, "a new one");
    rig.pass(1);
    rig.ask(OWN, Ask::EndCall(call));
    let (recording, told) = rig.begun(&effects);
    let [_, left, came, stopped] = &told[..] else { panic!("{told:?}") };
    assert_eq!(*left, Effect::Change { recording, at_ns: SECOND_NS, change: Change::Leave(0) });
    let is_second = |at_ns: &i64| *at_ns == 2 * SECOND_NS;
    assert!(matches!(came, Effect::Change { at_ns, change: Change::Join { number: 1, .. }, .. } if is_second(at_ns)));
    assert_eq!(*stopped, Effect::Stop { recording, at_ns: 3 * SECOND_NS, reason: EndReason::CallEnded });
}

#[test]
fn a_recording_that_ends_by_itself_is_over_for_its_call() {
    let mut rig = Rig::new();
    rig.call("a");
    let recording = rig.running("a");
    assert_eq!(rig.on(Input::Stopped { recording }), []);
    assert_eq!(rig.ask(OWN, Ask::Stop(recording)).0, refused(Refusal::UnknownRecording));
    assert_eq!(rig.start("a", None).0, None);
}

#[test]
fn nothing_begins_where_the_disk_is_nearly_full_and_what_runs_goes_on() {
    let mut rig = Rig::new();
    rig.call("a");
    rig.call("b");
    let recording = rig.running("a");
    rig.on(Input::Disk { is_short: true });
    assert!(matches!(rig.start("b", None).0, Some(Err(Refusal::NoCapacity(_)))));
    assert!(matches!(rig.ask(OWN, Ask::Pause(recording)), (DONE, effects) if effects.len() == 1));
    rig.on(Input::Disk { is_short: false });
    assert_eq!(rig.start("b", None).0, None);
}
