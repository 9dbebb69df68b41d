//! What can go wrong with a pipeline.

use crate::model::Blame;
use crate::pipeline::name::Instance;

/// What went wrong. Reads after "failed to record: ".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PipelineError {
    /// An element of the plan cannot be made any more.
    #[error("element {element} of node {node} cannot be made")]
    NoElement {
        /// Node of the plan.
        node: String,
        /// Its factory.
        element: String,
    },
    /// A property does not take the plan's value.
    #[error("property {property} of node {node} does not take {value:?}")]
    Property {
        /// Node of the plan.
        node: String,
        /// The property.
        property: String,
        /// What it was to be set to.
        value: String,
    },
    /// Two nodes do not fit together.
    #[error("node {node} cannot be linked: {detail}")]
    Link {
        /// Node whose input it is.
        node: String,
        /// What GStreamer says.
        detail: String,
    },
    /// A participant is to have a channel that there is not.
    #[error("no channel {channel} for a pin: {}", channels_text(*.n_channels))]
    Pin {
        /// The channel, from 0.
        channel: u32,
        /// How many there are; 0 where participants have none of their own.
        n_channels: u32,
    },
    /// The pipeline, or a part of it, does not start.
    #[error("node {node} does not start")]
    State {
        /// Node of the plan, or the pipeline.
        node: String,
    },
    /// An element posted an error.
    #[error("node {node}: {text}{}", detail(.debug))]
    Element {
        /// Node of the plan.
        node: String,
        /// Which copy of it.
        copy: Instance,
        /// GStreamer's error domain and code.
        class: Class,
        /// The element's text for users.
        text: String,
        /// The element's text for developers; may be empty.
        debug: String,
    },
    /// Downstream refused media without saying why.
    #[error("node {node} refused media ({flow:?}); GST_DEBUG=3 says more")]
    Refused {
        /// Node of the plan, or the door that media went in by.
        node: String,
        /// What came back.
        flow: gst::FlowError,
    },
    /// The last chunk did not end in time.
    #[error("the pipeline did not end within {seconds} s")]
    StopTimeout {
        /// How long was waited.
        seconds: u64,
    },
}

fn channels_text(n_channels: u32) -> String {
    match n_channels.checked_sub(1) {
        Some(last) => format!("this graph has channels 0 to {last}"),
        None => "this graph mixes everybody; pins are for unmixed ones".to_owned(),
    }
}

fn detail(debug: &str) -> String {
    // The first line is where in the source it was posted; what follows is what was found.
    debug.lines().nth(1).map(|line| format!(" ({line})")).unwrap_or_default()
}

/// GStreamer's error domains, as far as they tell whose fault it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// `GST_RESOURCE_ERROR_NO_SPACE_LEFT`.
    NoSpaceLeft,
    /// Any other `GST_RESOURCE_ERROR`.
    Resource,
    /// `GST_STREAM_ERROR`.
    Stream,
    /// `GST_CORE_ERROR`, `GST_LIBRARY_ERROR`, anything else.
    Other,
}

impl Class {
    /// Returns the class of an error that an element posted.
    pub fn of(error: &gst::glib::Error) -> Self {
        match (error.kind::<gst::ResourceError>(), error.kind::<gst::StreamError>()) {
            (Some(gst::ResourceError::NoSpaceLeft), _) => Self::NoSpaceLeft,
            (Some(_), _) => Self::Resource,
            (_, Some(_)) => Self::Stream,
            _ => Self::Other,
        }
    }
}

impl PipelineError {
    /// Returns whose fault it is.
    pub fn blame(&self) -> Blame {
        match self {
            Self::NoElement { .. } => Blame::Environment,
            Self::Pin { .. } => Blame::Caller,
            Self::Property { .. } | Self::Link { .. } | Self::State { .. } | Self::Refused { .. } => Blame::Graph,
            Self::Element { class: Class::NoSpaceLeft | Class::Resource, .. } => Blame::Environment,
            Self::Element { class: Class::Stream, copy: Instance::Participant(_), .. } => Blame::Media,
            Self::Element { .. } => Blame::Graph,
            Self::StopTimeout { .. } => Blame::Ourselves,
        }
    }

    /// Returns whether the same might work at another time.
    pub fn may_retry(&self) -> bool {
        self.blame() == Blame::Environment
    }
}
