//! What ends as time passes, what starts by itself, and what is found.

use super::*;
use crate::model::AtMaxPause;
use crate::supervisor::AutoRecord;
use crate::supervisor::Filter;
use crate::supervisor::RecordingView;
use crate::supervisor::input::Note;

/// A rig whose recordings keep to some terms.
fn rig(terms: Terms) -> Rig {
    let mut rig = Rig::new();
    (rig.core.policy.terms, rig.core.policy.empty_timeout) = (terms, Duration::from_secs(100));
    rig
}

fn short(at_max_pause: AtMaxPause) -> Terms {
    let (max_pause, max_duration) = (Duration::from_secs(10), Duration::from_secs(60));
    Terms { tags: Vec::new(), max_pause, at_max_pause, max_duration }
}

/// A rule that has the name of its graph.
fn rule(call_key: &str, graph: &str) -> AutoRecord {
    let (name, graph, call_key) = (graph.to_owned(), graph.to_owned(), call_key.to_owned());
    AutoRecord { name, resource: None, call_key, graph, tags: Vec::new() }
}

fn stopped(effects: &[Effect]) -> Vec<EndReason> {
    let reason = |effect: &Effect| match effect {
        Effect::Stop { reason, .. } => Some(*reason),
        _ => None,
    };
    effects.iter().filter_map(reason).collect()
}

fn is_resume(effect: &Effect) -> bool {
    matches!(effect, Effect::Change { change: Change::Resume, .. })
}

#[test]
fn a_forgotten_pause_ends_or_goes_on() {
    let mut rig = rig(short(AtMaxPause::Resume));
    rig.call("one");
    let recording = rig.running("one");
    rig.pass(20);
    rig.ask(OWN, Ask::Pause(recording));
    assert_eq!(rig.pass(9), []);
    // By hand and again: it counts from the last.
    rig.ask(OWN, Ask::Resume(recording));
    rig.ask(OWN, Ask::Pause(recording));
    assert_eq!(rig.pass(9), []);
    let effects = rig.pass(1);
    let [Effect::Note(Note::GoesOn(noted)), resume] = &effects[..] else { panic!("{effects:?}") };
    assert!(*noted == recording && is_resume(resume), "{effects:?}");
    assert_eq!(rig.pass(15), []);

    let mut rig = self::rig(short(AtMaxPause::Stop));
    rig.call("one");
    let recording = rig.running("one");
    rig.ask(OWN, Ask::Pause(recording));
    assert_eq!(stopped(&rig.pass(10)), [EndReason::PauseLimit]);
    // It is over once.
    assert_eq!(rig.pass(80), []);
}

#[test]
fn a_recording_ends_when_its_time_is_up_whatever_the_wall_clock_says() {
    let mut rig = rig(short(AtMaxPause::Resume));
    let call = rig.call("one");
    rig.come(call, "ada");
    rig.running("one");
    rig.now.wall += jiff::SignedDuration::from_hours(10);
    assert_eq!(rig.pass(59), []);
    assert_eq!(stopped(&rig.pass(1)), [EndReason::DurationReached]);
}

#[test]
fn a_call_that_nobody_is_in_ends_with_its_recordings() {
    let mut rig = rig(Terms::default());
    let call = rig.call("one");
    rig.running("one");
    rig.pass(99);
    rig.come(call, "ada");
    assert_eq!(rig.pass(1_000), []);
    rig.ask(OWN, Ask::RemoveParticipant { call, participant: "ada".to_owned() });
    rig.pass(99);
    assert!(matches!(rig.ask(OWN, Ask::Call(call)).0, Some(Ok(_))));
    assert_eq!(stopped(&rig.pass(1)), [EndReason::NoParticipants]);
    assert_eq!(rig.ask(OWN, Ask::Call(call)).0, Some(Err(Refusal::UnknownCall)));
}

#[test]
fn calls_are_recorded_that_a_rule_is_for() {
    let mut rig = rig(Terms::default());
    let rules = [rule("sales-*", "mixed-mp3"), rule("*", "unmixed-wav"), rule("x", "mixed-wav")];
    rig.core.policy.auto_record = rules.map(|rule| AutoRecord { resource: Some(OWN), ..rule }).to_vec();
    let create = |key: &str| Ask::CreateCall(vec![CallName::Key(key.to_owned())]);
    let (_, effects) = rig.ask(OWN, create("sales-1"));
    let graphs = effects.iter().map(|effect| match effect {
        Effect::Begin(begin) => begin.graph.as_str(),
        other => panic!("{other:?}"),
    });
    assert_eq!(graphs.collect::<Vec<_>>(), ["mixed-mp3", "unmixed-wav"]);
    // As many as the resource may have, and the call is there all the same.
    let (answer, refused) = rig.ask(OWN, create("sales-2"));
    let Some(Ok(Answer::Call(second))) = answer else { panic!("{answer:?}") };
    let noted = |effect: &Effect| match effect {
        Effect::Note(Note::NotRecorded { refusal: Refusal::TooMany(_), .. }) => true,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused.iter().filter(|effect| noted(effect)).count(), 2);
    for effect in &effects {
        let (recording, _) = rig.begun(std::slice::from_ref(effect));
        rig.ask(OWN, Ask::Stop(recording));
        rig.end(recording);
    }
    // When there is room, and somebody comes. What was stopped by somebody does not begin again.
    let begun = |effects: &[Effect]| effects.iter().filter(|effect| matches!(effect, Effect::Begin(_))).count();
    assert_eq!(begun(&rig.come(second.id, "ada")), 2);
    let Some(Ok(Answer::Calls(calls))) = rig.ask(OWN, Ask::Calls).0 else { panic!("there are calls") };
    assert_eq!(begun(&rig.come(calls[0].id, "bob")), 0);
    assert_eq!(rig.ask(OTHER, create("sales-1")).1, []);
}

#[test]
fn each_rule_records_a_call_once() {
    let mut rig = rig(Terms::default());
    rig.core.resources.values_mut().for_each(|settings| settings.recordings_max = 10);
    rig.core.policy.auto_record = ["mixed-mp3", "mixed-wav", "unmixed-wav"].map(|graph| rule("*", graph)).to_vec();
    let call = vec![CallName::Key("one".to_owned())];
    let (_, effects) = rig.ask(OWN, Ask::CreateCall(call));
    let graphs = effects.iter().map(|effect| match effect {
        Effect::Begin(begin) => begin.graph.as_str(),
        other => panic!("{other:?}"),
    });
    assert_eq!(graphs.collect::<Vec<_>>(), ["mixed-mp3", "mixed-wav", "unmixed-wav"]);
}

#[test]
fn recordings_are_found_by_what_is_known_of_them() {
    let mut rig = rig(Terms::default());
    let found = |rig: &mut Rig, filter: Filter| match rig.ask(OWN, Ask::Recordings(filter)).0 {
        Some(Ok(Answer::Recordings(views, are_more))) => (views.iter().map(|view| view.row.id).collect(), are_more),
        other => panic!("{other:?}"),
    };
    let all = || Filter { limit: 10, ..Filter::default() };
    let mut ids = Vec::new();
    for (key, who) in [("one", "ada"), ("two", "bob")] {
        let call = rig.call(key);
        ids.push(rig.running(key));
        let recording = rig.core.recordings.get_mut(&ids[ids.len() - 1]).expect("it runs");
        recording.row.about.terms.tags = vec![format!("tag-{key}")];
        rig.come(call, who);
        rig.ask(OWN, Ask::RemoveParticipant { call, participant: who.to_owned() });
        rig.pass(10);
    }
    // It is found by who was in it also when it is over, and its call is.
    rig.ask(OWN, Ask::Stop(ids[0]));
    rig.end(ids[0]);
    let (first, second) = (vec![ids[0]], vec![ids[1]]);
    let at = |seconds| Some(Timestamp::from_second(seconds).expect("a time"));
    assert_eq!(found(&mut rig, all()), (ids.clone(), false));
    assert_eq!(found(&mut rig, Filter { limit: 1, ..all() }), (first.clone(), true));
    assert_eq!(found(&mut rig, Filter { after: Some(ids[0]), ..all() }), (second.clone(), false));
    assert_eq!(found(&mut rig, Filter { participant: Some("ada".to_owned()), ..all() }).0, first);
    assert_eq!(found(&mut rig, Filter { call_key: Some("two".to_owned()), ..all() }).0, second);
    assert_eq!(found(&mut rig, Filter { tag: Some("tag-one".to_owned()), ..all() }).0, first);
    assert_eq!(found(&mut rig, Filter { to: at(10), ..all() }).0, first);
    assert_eq!(found(&mut rig, Filter { from: at(10), ..all() }).0, second);
    let nobody = Filter { participant: Some("ada".to_owned()), call_key: Some("two".to_owned()), ..all() };
    assert_eq!(found(&mut rig, nobody).0, []);
    let other: Option<Result<Answer, Refusal>> = rig.ask(OTHER, Ask::Recordings(all())).0;
    assert_eq!(other, Some(Ok(Answer::Recordings(Vec::<RecordingView>::new(), false))));
}

#[test]
fn what_a_rule_records_is_beside_what_is_asked_for() {
    let mut rig = rig(Terms::default());
    rig.core.policy.creates_on_start = true;
    rig.core.policy.auto_record = vec![rule("*", "mixed-mp3"), rule("*", "mixed-wav")];
    // What is asked for is the same as one of them: once is enough.
    let (answer, effects) = rig.start("new", None);
    let graphs = effects.iter().filter_map(|effect| match effect {
        Effect::Begin(begin) => Some(begin.graph.as_str()),
        _ => None,
    });
    let graphs: Vec<_> = graphs.collect();
    assert_eq!((answer, graphs), (None, vec!["mixed-wav", "mixed-mp3"]));
    // A call that a rule records is not recorded in the eyes of who asks.
    let mut rig = self::rig(Terms::default());
    rig.core.policy.auto_record = vec![rule("*", "mixed-mp3")];
    rig.call("one");
    let (answer, effects) = rig.start("one", None);
    assert!(answer.is_none() && effects.len() == 1, "{answer:?} {effects:?}");
    assert_eq!(rig.start("one", None).0, Some(Err(Refusal::AlreadyRecording)));
}

#[test]
fn a_resource_has_as_many_calls_and_tracks_as_it_may() {
    let mut rig = rig(Terms::default());
    for settings in rig.core.resources.values_mut() {
        (settings.calls_max, settings.tracks_max) = (2, 1);
    }
    let [one, two] = ["one", "two"].map(|key| rig.call(key));
    let third = Ask::CreateCall(vec![CallName::Key("three".to_owned())]);
    assert_eq!(rig.ask(OWN, third.clone()).0, Some(Err(Refusal::TooMany("calls at a time"))));
    assert!(matches!(rig.ask(OTHER, third).0, Some(Ok(_))));
    rig.come(one, "ada");
    assert_eq!(rig.ask(OWN, coming(two, "bob")).0, Some(Err(Refusal::TooMany("participants of all calls"))));
    rig.ask(OWN, Ask::RemoveParticipant { call: one, participant: "ada".to_owned() });
    assert!(rig.ask(OWN, coming(two, "bob")).0.is_none());
}
