//! Logs: `tracing` for the program, with GStreamer's own log carried into it, so that one log tells one story.
//!
//! `REELGRAPH_LOG` (as `RUST_LOG` elsewhere, default `warn`) chooses for the program; `GST_DEBUG` chooses for GStreamer
//! as in any GStreamer program, and what it lets through always appears.
//!
//! **Architecture invariant:** knows no recording. What is logged is decided where it happens; in here only where it
//! goes, and that no media goes with it.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

const VARIABLE: &str = "REELGRAPH_LOG";
const DEFAULT: &str = "warn";
const GSTREAMER_TARGET: &str = "gst";

/// Sends logs to stderr. Called once, before GStreamer is initialised.
pub fn start() {
    let chosen = std::env::var(VARIABLE).unwrap_or_else(|_| DEFAULT.to_owned());
    let filter = EnvFilter::builder().parse_lossy(format!("{chosen},{GSTREAMER_TARGET}=trace"));
    // A log that nobody reads any more must not end a recording: what cannot be written would be told by a panic.
    let is_terminal = std::io::stderr().is_terminal();
    let logs = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(is_terminal);
    let logs = logs.log_internal_errors(false);
    if logs.try_init().is_err() {
        // Somebody else's subscriber is there: a test's. It gets the same records.
        tracing::debug!("logs go to the subscriber that is there");
    }
    gst::log::remove_default_log_function();
    gst::log::add_log_function(forward);
}

/// One record of GStreamer's, as one of ours: category, object and text are fields, not parts of the message.
fn forward(
    category: gst::DebugCategory,
    level: gst::DebugLevel,
    _file: &gst::glib::GStr,
    _function: &gst::glib::GStr,
    _line: u32,
    object: Option<&gst::log::LoggedObject>,
    message: &gst::DebugMessage,
) {
    let (category, text) = (category.name(), message.get());
    let text = text.as_ref().map(|text| text.as_str()).unwrap_or_default();
    let object = object.map(|object| object.to_string()).unwrap_or_default();
    macro_rules! record {
        ($level:ident) => {
            tracing::$level!(target: GSTREAMER_TARGET, category, object, "{text}")
        };
    }
    match level {
        gst::DebugLevel::Error => record!(error),
        gst::DebugLevel::Warning | gst::DebugLevel::Fixme => record!(warn),
        gst::DebugLevel::Info => record!(info),
        gst::DebugLevel::Debug => record!(debug),
        // Dumps of media: what a recording must not show anywhere but in its files.
        gst::DebugLevel::Memdump => (),
        _ => record!(trace),
    }
}
