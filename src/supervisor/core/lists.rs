//! Recordings as they are shown, and which of them are. Pure.

use crate::catalog::RecordingRow;
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
        Ok(self.view(recording.ok_or(Refusal::UnknownRecording)?))
    }

    /// Returns recordings of a resource in order of beginning.
    pub(super) fn list(&self, resource: ResourceId, filter: &Filter) -> Result<Answer, Refusal> {
        let order = |recording: &Recording| (recording.row.started_at, recording.row.id);
        // Where that is gone nobody knows what comes after it.
        let place = |id| self.own(resource, id).map(order).ok_or(Refusal::UnknownRecording);
        let after = filter.after.map(place).transpose()?;
        let is_wanted = |own: &&Recording| {
            let is_there = own.row.resource == resource && own.phase > Phase::Starting;
            is_there && after.is_none_or(|after| order(own) > after) && is_found(&own.row, filter)
        };
        let mut found: Vec<_> = self.recordings.values().filter(is_wanted).collect();
        found.sort_by_key(|own| order(own));
        let are_more = found.len() > filter.limit;
        let views = found.into_iter().take(filter.limit).map(|recording| self.view(recording));
        Ok(Answer::Recordings(views.collect(), are_more))
    }

    /// Returns who is recorded of a call.
    pub(super) fn recorded(&self, call: &Call) -> Answer {
        let is_on = |own: &&Recording| own.run == Run::On && !own.row.paused;
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

    pub(super) fn view(&self, recording: &Recording) -> RecordingView {
        let settings = self.resources.get(&recording.row.resource);
        // What is stored of it before its end is nobody's yet.
        let chunks = if recording.row.end.is_some() { &recording.chunks[..] } else { &[] };
        RecordingView {
            row: recording.row.clone(),
            region: settings.map(|settings| settings.region.clone()).unwrap_or_default(),
            phase: recording.phase,
            chunks: chunks.to_vec(),
        }
    }
}

fn is_found(recording: &RecordingRow, filter: &Filter) -> bool {
    let about = &recording.about;
    filter.participant.as_ref().is_none_or(|id| about.people.contains(id))
        && filter.call_key.as_ref().is_none_or(|key| about.call_key.as_ref() == Some(key))
        && filter.from.is_none_or(|from| recording.started_at >= from)
        && filter.to.is_none_or(|to| recording.started_at < to)
        && filter.tag.as_ref().is_none_or(|tag| about.terms.tags.contains(tag))
}
