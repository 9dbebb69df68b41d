//! The properties `pause-at` and `resume-at`: what `reelgate` and `reelaudiodec` are told of pauses.

use gst::glib;
use gst::prelude::*;

const PAUSE_AT: &str = "pause-at";
const RESUME_AT: &str = "resume-at";

/// What reads as "never written".
const NONE: u64 = u64::MAX;

/// An edge that is asked for, in recording time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edge {
    Pause(gst::ClockTime),
    Resume(gst::ClockTime),
}

/// The edges last asked for; a timeline has them all.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Edges {
    pause_at: Option<gst::ClockTime>,
    resume_at: Option<gst::ClockTime>,
}

impl Edges {
    /// Returns both properties.
    pub(crate) fn properties() -> [glib::ParamSpec; 2] {
        let time = |name: &str, nick: &str, blurb: &str| {
            let blurb = format!("{blurb} at this recording time (ns; {NONE}: none)");
            let property = glib::ParamSpecUInt64::builder(name).nick(nick).blurb(&blurb);
            property.default_value(NONE).mutable_playing().build()
        };
        [
            time(PAUSE_AT, "Pause at", "Each write adds a pause"),
            time(RESUME_AT, "Resume at", "Each write ends the open pause"),
        ]
    }

    /// Takes what is written to one of them and returns what it asks for; None where that is nothing.
    pub(crate) fn write(&mut self, property: &str, value: &glib::Value) -> Option<Edge> {
        let at = || {
            Some(value.get::<u64>().expect("type checked upstream"))
                .filter(|ns| *ns != NONE)
                .map(gst::ClockTime::from_nseconds)
        };
        match property {
            PAUSE_AT => {
                self.pause_at = at();
                self.pause_at.map(Edge::Pause)
            }
            RESUME_AT => {
                self.resume_at = at();
                self.resume_at.map(Edge::Resume)
            }
            name => unreachable!("property {name} is not declared as writable"),
        }
    }

    /// Returns what was written to a property; None where it is another.
    pub(crate) fn read(&self, property: &str) -> Option<glib::Value> {
        let at = match property {
            PAUSE_AT => self.pause_at,
            RESUME_AT => self.resume_at,
            _ => return None,
        };
        Some(at.map_or(NONE, gst::ClockTime::nseconds).to_value())
    }
}
