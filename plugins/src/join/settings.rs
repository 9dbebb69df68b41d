//! The properties that all joining elements have.

use gst::glib;
use gst::prelude::*;

const DEFAULT_LATENCY: gst::ClockTime = gst::ClockTime::ZERO;

/// Enough to even out decoders with large frames, little enough to be no memory.
const DEFAULT_MAX_LEAD: gst::ClockTime = gst::ClockTime::from_mseconds(500);

/// 0: as negotiated.
const DEFAULT_RATE: u32 = 0;

/// What the user sets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    /// How far behind the horizon the output stays.
    pub(crate) latency: gst::ClockTime,
    /// How far one lane may be ahead of the output where there is no horizon.
    pub(crate) max_lead: gst::ClockTime,
    /// Samples per second, if the user says.
    pub(crate) rate: Option<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { latency: DEFAULT_LATENCY, max_lead: DEFAULT_MAX_LEAD, rate: None }
    }
}

fn time(name: &str, nick: &str, blurb: &str, default: gst::ClockTime) -> glib::ParamSpec {
    glib::ParamSpecUInt64::builder(name)
        .nick(nick)
        .blurb(blurb)
        .maximum(gst::ClockTime::MAX.nseconds())
        .default_value(default.nseconds())
        .mutable_playing()
        .build()
}

/// Returns the properties; `stats` is the element's own to fill.
pub(crate) fn properties() -> Vec<glib::ParamSpec> {
    vec![
        time(
            "latency",
            "Latency",
            "How far the output stays behind the timeline, for branches that delay their media (ns)",
            DEFAULT_LATENCY,
        ),
        time(
            "max-lead",
            "Maximum lead",
            "How far a pad may be ahead of the output before it waits, where timeline is not linked (ns)",
            DEFAULT_MAX_LEAD,
        ),
        glib::ParamSpecUInt::builder("rate")
            .nick("Sample rate")
            .blurb("Samples per second of all pads (Hz, 8000 to 48000; 0: as the first pad or downstream says)")
            .maximum(48_000)
            .default_value(DEFAULT_RATE)
            .mutable_ready()
            .build(),
        glib::ParamSpecBoxed::builder::<gst::Structure>("stats")
            .nick("Statistics")
            .blurb("Samples that came out, and samples lost by cause, since the start")
            .read_only()
            .build(),
    ]
}

impl Settings {
    /// Sets one of [`properties`].
    pub(super) fn set(&mut self, value: &glib::Value, pspec: &glib::ParamSpec) {
        let time = |value: &glib::Value| gst::ClockTime::from_nseconds(value.get().expect("type checked upstream"));
        match pspec.name() {
            "latency" => self.latency = time(value),
            "max-lead" => self.max_lead = time(value),
            "rate" => self.rate = Some(value.get().expect("type checked upstream")).filter(|rate| *rate > 0),
            name => unreachable!("no writable property {name}"),
        }
    }

    /// Returns one of [`properties`].
    pub(super) fn get(&self, pspec: &glib::ParamSpec) -> glib::Value {
        match pspec.name() {
            "latency" => self.latency.nseconds().to_value(),
            "max-lead" => self.max_lead.nseconds().to_value(),
            "rate" => self.rate.unwrap_or(DEFAULT_RATE).to_value(),
            name => unreachable!("no property {name}"),
        }
    }
}
