//! Recordings as they are shown, and which of them are. Pure.

use crate::model::RecordingId;
use crate::model::ResourceId;
use crate::supervisor::Answer;
use crate::supervisor::Filter;
use crate::supervisor::Phase;
use crate::supervisor::RecordedView;
use crate::supervisor::RecordingView;
use crate::supervisor::Refusal;
use crate::supervisor::core::Call;
use crate::supervisor::core::Core;
use crate::supervisor::core::Recording;
use crate::supervisor::core::Run;

impl Core {
    pub(super) fn recording_view(&self, resource: ResourceId, id: RecordingId) -> Result<RecordingView, Refusal> {
        let recording = self.own(resource, id).filter(|recording| recording.phase > Phase::Starting);
        Ok(self.view(id, recording.ok_or(Refusal::UnknownRecording)?))
    }

    /// Returns recordings of a resource in order of beginning.
    pub(super) fn list(&self, resource: ResourceId, filter: &Filter) -> Result<Answer, Refusal> {
        let order = |id: &RecordingId, recording: &Recording| (recording.started_at, *id);
        // Where that is gone nobody knows what comes after it.
        let place = |id| self.own(resource, id).map(|own| order(&id, own)).ok_or(Refusal::UnknownRecording);
        let after = filter.after.map(place).transpose()?;
        let is_wanted = |(id, own): &(&RecordingId, &Recording)| {
            let is_there = own.resource == resource && own.phase > Phase::Starting;
            is_there && after.is_none_or(|after| order(id, own) > after) && is_found(own, filter)
        };
        let mut found: Vec<_> = self.recordings.iter().filter(is_wanted).collect();
        found.sort_by_key(|(id, own)| order(id, own));
        let are_more = found.len() > filter.limit;
        let views = found.into_iter().take(filter.limit).map(|(id, recording)| self.view(*id, recording));
        Ok(Answer::Recordings(views.collect(), are_more))
    }

    /// Returns who is recorded of a call.
    pub(super) fn recorded(&self, call: &Call) -> Answer {
        let is_on = |own: &&Recording| own.run == Run::On && !own.paused;
        let view = |id: &RecordingId| {
            let own = self.recordings.get(id).filter(is_on)?;
            let numbered = own.members.iter().zip(0..).filter_map(|(key, number)| {
                let named = call.participants.iter().find(|participant| participant.member.key == *key)?;
                Some((number, named.member.id.clone()))
            });
            Some(RecordedView { recording: *id, members: numbered.collect() })
        };
        Answer::Recorded(call.recordings.iter().filter_map(view).collect())
    }

    fn view(&self, id: RecordingId, recording: &Recording) -> RecordingView {
        let settings = self.resources.get(&recording.resource);
        // What is stored of it before its end is nobody's yet.
        let chunks = if recording.end.is_some() { &recording.chunks[..] } else { &[] };
        RecordingView {
            id,
            region: settings.map(|settings| settings.region.clone()).unwrap_or_default(),
            call: recording.call,
            graph: recording.graph.clone(),
            about: recording.about.clone(),
            phase: recording.phase,
            paused: recording.paused,
            started_at: recording.started_at,
            chunks: chunks.to_vec(),
            end: recording.end.clone(),
        }
    }
}

fn is_found(recording: &Recording, filter: &Filter) -> bool {
    let about = &recording.about;
    filter.participant.as_ref().is_none_or(|id| about.people.contains(id))
        && filter.call_key.as_ref().is_none_or(|key| about.call_key.as_ref() == Some(key))
        && filter.from.is_none_or(|from| recording.started_at >= from)
        && filter.to.is_none_or(|to| recording.started_at < to)
        && filter.tag.as_ref().is_none_or(|tag| about.terms.tags.contains(tag))
}
