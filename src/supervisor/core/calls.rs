//! Calls: their names, and who is in them. Pure.

use std::net::SocketAddr;

use crate::catalog::Update;
use crate::model::CallId;
use crate::model::EndReason;
use crate::model::ParticipantNumber;
use crate::model::RecordingId;
use crate::model::ResourceId;
use crate::supervisor::Answer;
use crate::supervisor::CallName;
use crate::supervisor::CallView;
use crate::supervisor::ParticipantView;
use crate::supervisor::Phase;
use crate::supervisor::Refusal;
use crate::supervisor::core::Call;
use crate::supervisor::core::Core;
use crate::supervisor::core::Participant;
use crate::supervisor::core::pin_of;
use crate::supervisor::core::saved;
use crate::supervisor::input::Change;
use crate::supervisor::input::Effect;
use crate::supervisor::input::Joining;
use crate::supervisor::input::Member;
use crate::supervisor::input::Now;
use crate::supervisor::input::Token;

/// A port is kept for so long when nobody needs it any more: what is on its way is still recorded.
const LINGER_NS: i64 = 2_000_000_000;

impl Core {
    pub(super) fn create_call(
        &mut self,
        resource: ResourceId,
        names: Vec<CallName>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<CallId, Refusal> {
        if let Some(taken) = names.iter().find(|name| self.names.contains_key(&(resource, (*name).clone()))) {
            return Err(Refusal::CallExists(taken.text().to_owned()));
        }
        let limit = self.resources.get(&resource).map_or(0, |settings| settings.calls_max);
        if self.calls.values().filter(|call| call.resource == resource).count() >= limit {
            return Err(Refusal::TooMany("calls at a time"));
        }
        let id = CallId::new();
        self.names.extend(names.iter().map(|name| ((resource, name.clone()), id)));
        let (participants, recordings) = (Vec::new(), Vec::new());
        let empty_ns = Some(now.monotonic_ns);
        let call = Call { resource, names, created_at: now.wall, participants, recordings, empty_ns };
        effects.push(Effect::Save(Update::Call(saved::call_row(id, &call))));
        self.calls.insert(id, call);
        Ok(id)
    }

    /// Ends a call, and its recordings with it.
    pub(super) fn end_call(&mut self, id: CallId, reason: EndReason, now: Now, effects: &mut Vec<Effect>) {
        let Some(call) = self.calls.remove(&id) else { return };
        for name in call.names {
            self.names.remove(&(call.resource, name));
        }
        effects.push(Effect::Save(Update::CallGone(id)));
        effects.extend(call.recordings.into_iter().flat_map(|id| self.stop(id, reason, now)));
        let until_ns = now.monotonic_ns.saturating_add(LINGER_NS);
        self.lingering.extend(call.participants.iter().map(|participant| (until_ns, participant.member.key)));
    }

    /// Looks whether somebody may come to a call.
    pub(super) fn check_joins(&self, resource: ResourceId, call: CallId, id: &str) -> Result<(), Refusal> {
        let participants = &self.call(resource, call)?.participants;
        if participants.iter().any(|other| other.member.id == id) {
            return Err(Refusal::ParticipantExists);
        }
        let settings = self.resources.get(&resource).ok_or(Refusal::UnknownCall)?;
        if participants.len() >= settings.participants_max {
            return Err(Refusal::TooMany("participants of a call"));
        }
        let own = self.calls.values().filter(|call| call.resource == resource);
        match own.map(|call| call.participants.len()).sum::<usize>() < settings.tracks_max {
            true => Ok(()),
            false => Err(Refusal::TooMany("participants of all calls")),
        }
    }

    pub(super) fn track_opened(
        &mut self,
        token: Option<Token>,
        port: Option<u16>,
        joining: Joining,
        opened: Result<SocketAddr, Refusal>,
        now: Now,
    ) -> Vec<Effect> {
        let Joining { call, key, id, display_name, settings: track, joined_at } = joining;
        let answer = |answer| token.map(|token| Effect::Answer(token, answer)).into_iter().collect::<Vec<_>>();
        let address = match opened {
            Ok(address) => address,
            Err(refusal) => {
                let Some(port) = port else { return answer(Err(refusal)) };
                // Who was there before the service was killed is heard as soon as their port is free, or not any more.
                if now.monotonic_ns < self.awaited_ns && self.calls.contains_key(&call) {
                    self.unheard.push((port, Joining { call, key, id, display_name, settings: track, joined_at }));
                    return Vec::new();
                }
                return vec![Effect::Save(Update::ParticipantGone { call, id })];
            }
        };
        let Some(here) = self.calls.get_mut(&call) else {
            return [vec![Effect::CloseTrack(key)], answer(Err(Refusal::UnknownCall))].concat();
        };
        // Two may have been asked for at the same time.
        if here.participants.iter().any(|other| other.member.id == id) {
            return [vec![Effect::CloseTrack(key)], answer(Err(Refusal::ParticipantExists))].concat();
        }
        let (member, joined_ns) = (Member { key, id, pin: None }, now.monotonic_ns);
        let participant = Participant { member, display_name, track, address, joined_ns, joined_at };
        let (view, row) = (view(&participant), saved::participant_row(call, &participant));
        here.participants.push(participant);
        here.empty_ns = None;
        let (resource, running) = (here.resource, here.recordings.clone());
        let mut effects: Vec<_> = running.into_iter().flat_map(|id| self.join_all(id)).collect();
        // What a rule could not start before, for want of room, or lost in a restart.
        self.auto_record(resource, call, now, &mut effects);
        effects.push(Effect::Save(Update::Participant(row)));
        effects.extend(answer(Ok(Answer::Participant(view))));
        effects
    }

    /// Lets everybody of a call join a recording who is not in it.
    pub(super) fn join_all(&mut self, id: RecordingId) -> Vec<Effect> {
        let Some(recording) = self.recordings.get_mut(&id).filter(|own| own.phase < Phase::Stopping) else {
            return Vec::new();
        };
        let Some(call) = self.calls.get(&recording.row.call) else { return Vec::new() };
        let (mut joins, mut is_new) = (Vec::new(), false);
        for Participant { member, joined_ns, .. } in &call.participants {
            if !recording.members.contains(&member.key) {
                let number = recording.members.len() as ParticipantNumber;
                recording.members.push(member.key);
                is_new |= recording.row.about.add(&member.id);
                let member = Member { pin: pin_of(&recording.row.pins, &member.id), ..member.clone() };
                joins.push(((*joined_ns).max(recording.started_ns), Change::Join { number, member }));
            }
        }
        // One that is starting is saved when it has.
        let is_known = is_new && recording.phase > Phase::Starting;
        let saved = is_known.then(|| recording.save());
        let joins = joins.into_iter().filter_map(|(at_ns, change)| self.change(id, at_ns, change));
        saved.into_iter().chain(joins).collect()
    }

    pub(super) fn rename_participant(
        &mut self,
        call_id: CallId,
        participant: &str,
        display_name: Option<String>,
        effects: &mut Vec<Effect>,
    ) -> Result<ParticipantView, Refusal> {
        let call = self.calls.get_mut(&call_id).ok_or(Refusal::UnknownCall)?;
        let named = call.participants.iter_mut().find(|other| other.member.id == participant);
        let named = named.ok_or(Refusal::UnknownParticipant)?;
        named.display_name = display_name;
        effects.push(Effect::Save(Update::Participant(saved::participant_row(call_id, named))));
        Ok(view(named))
    }

    pub(super) fn remove_participant(
        &mut self,
        call_id: CallId,
        participant: &str,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let call = self.calls.get_mut(&call_id).ok_or(Refusal::UnknownCall)?;
        let at = call.participants.iter().position(|other| other.member.id == participant);
        let gone = call.participants.remove(at.ok_or(Refusal::UnknownParticipant)?).member.key;
        call.empty_ns = call.participants.is_empty().then_some(now.monotonic_ns);
        for id in call.recordings.clone() {
            let members = self.recordings.get(&id).map(|own| &own.members);
            if let Some(number) = members.and_then(|members| members.iter().position(|member| *member == gone)) {
                let change = Change::Leave(number as ParticipantNumber);
                effects.extend(self.change(id, now.monotonic_ns, change));
            }
        }
        let gone_row = Update::ParticipantGone { call: call_id, id: participant.to_owned() };
        effects.push(Effect::Save(gone_row));
        self.lingering.push((now.monotonic_ns.saturating_add(LINGER_NS), gone));
        Ok(())
    }

    pub(super) fn call_view(&self, id: CallId) -> Result<CallView, Refusal> {
        let call = self.calls.get(&id).ok_or(Refusal::UnknownCall)?;
        Ok(CallView {
            id,
            names: call.names.clone(),
            created_at: call.created_at,
            participants: call.participants.iter().map(view).collect(),
            recordings: call.recordings.clone(),
        })
    }
}

fn view(participant: &Participant) -> ParticipantView {
    let Participant { member, display_name, address, .. } = participant;
    ParticipantView { id: member.id.clone(), display_name: display_name.clone(), address: *address }
}
