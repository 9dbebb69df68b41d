//! What a pipeline says, typed.

use std::path::PathBuf;
use std::time::Duration;

use gst::MessageView;
use gst::prelude::*;
use gstreel::messages::{Channels, Chunk, File, UnreadableStructure};

use crate::model::ChannelMap;
use crate::model::ChunkMedia;
use crate::model::ParticipantNumber;
use crate::model::PauseInterval;
use crate::pipeline::PipelineError;
use crate::pipeline::error::Class;
use crate::pipeline::name;
use crate::pipeline::name::Instance;

/// What a pipeline says.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// What a chunk holds; comes with its end.
    ChunkHeld(ChunkMedia),
    /// A chunk's file is complete.
    FileComplete {
        /// The chunk that it holds.
        index: u32,
        /// Where it is.
        path: PathBuf,
        /// Bytes.
        size: u64,
    },
    /// Participants have been given channels.
    ChannelsChanged(ChannelMap),
    /// The branch of one participant has failed; the others go on.
    ParticipantFailed {
        /// The participant's number.
        participant: ParticipantNumber,
        /// Why.
        error: PipelineError,
    },
    /// The recording cannot go on.
    Failed(PipelineError),
    /// Everything is written.
    Ended,
}

/// Returns what a message means; None where it means nothing to a recording.
pub(super) fn read(message: &gst::Message, pipeline: &gst::Pipeline) -> Option<Event> {
    match message.view() {
        MessageView::Eos(eos) if eos.src().is_some_and(|src| src == pipeline) => Some(Event::Ended),
        MessageView::Error(error) => {
            let node = error.src().and_then(|src| name::node_of(src, pipeline.upcast_ref()));
            let (node, copy) = node.unwrap_or_else(|| ("pipeline".to_owned(), Instance::Recording));
            let error = PipelineError::Element {
                node,
                copy,
                class: Class::of(&error.error()),
                text: error.error().message().to_owned(),
                debug: error.debug().map(|debug| debug.to_string()).unwrap_or_default(),
            };
            Some(match copy {
                Instance::Participant(participant) => Event::ParticipantFailed { participant, error },
                _ => Event::Failed(error),
            })
        }
        MessageView::Element(element) => {
            let event = read_structure(element.structure()?);
            event.inspect_err(|error| tracing::warn!(%error, "unreadable message")).ok().flatten()
        }
        _ => None,
    }
}

fn read_structure(s: &gst::StructureRef) -> Result<Option<Event>, UnreadableStructure> {
    Ok(match s.name().as_str() {
        Chunk::NAME => Some(Event::ChunkHeld(media_of(Chunk::read(s)?))),
        File::NAME => {
            let File { index, location, size } = File::read(s)?;
            Some(Event::FileComplete { index, path: location.into(), size })
        }
        Channels::NAME => Some(Event::ChannelsChanged(map_of(Channels::read(s)?))),
        _ => None,
    })
}

/// Sink pads of joining elements are numbered as the participants are.
fn map_of(channels: Channels) -> ChannelMap {
    ChannelMap { channels: channels.pads, without_channel: channels.without_channel }
}

fn media_of(chunk: Chunk) -> ChunkMedia {
    let pauses = chunk.pauses.into_iter();
    ChunkMedia {
        index: chunk.index,
        start: Duration::from(chunk.start),
        samples: chunk.samples,
        rate: chunk.rate,
        channels: chunk.channels,
        pauses: pauses.map(|p| PauseInterval { start: p.start.into(), duration: p.duration.into() }).collect(),
        map: map_of(chunk.map),
    }
}
