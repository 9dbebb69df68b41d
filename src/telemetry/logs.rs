//! Logs: `tracing` for the program, with GStreamer's own log carried into it, so that one log tells one story.
//!
//! `REELGRAPH_LOG` (as `RUST_LOG` elsewhere, default `warn`) chooses for the program; `GST_DEBUG` chooses for GStreamer
//! as in any GStreamer program, and what it lets through always appears.

use std::io::IsTerminal;
use std::sync::OnceLock;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

const VARIABLE: &str = "REELGRAPH_LOG";
const DEFAULT: &str = "warn";
const GSTREAMER_TARGET: &str = "gst";

/// Lets another filter decide from now on.
type Reload = Box<dyn Fn(EnvFilter) -> Result<(), tracing_subscriber::reload::Error> + Send + Sync>;

/// The process has one log, and so has this.
static RELOAD: OnceLock<Reload> = OnceLock::new();

/// Most detailed level of GStreamer's that can be asked for, `LOG`. What is beyond it shows media, or each step of it.
const GSTREAMER_LEVEL_MAX: u32 = 6;

/// GStreamer's own names of levels, from 0 on.
const GSTREAMER_LEVELS: [&str; 7] = ["NONE", "ERROR", "WARNING", "FIXME", "INFO", "DEBUG", "LOG"];

/// Why the log stays as it is. Reads after "failed to change the log: ".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// A part of what was asked for says nothing.
    #[error("{part:?} must be a level, or a target and a level, as in \"info,reelgraph::engine=debug\"")]
    Level {
        /// Which.
        part: String,
    },
    /// The same, of GStreamer's log.
    #[error("{part:?} must be a level from 0 to 6, or a category and such a level, as in \"3,reelgate:6\"")]
    GstreamerLevel {
        /// Which.
        part: String,
    },
    /// The log is another program's.
    #[error("the log is not this program's")]
    NotOurs,
}

/// Lets `text`, as in `REELGRAPH_LOG`, decide what is logged from now on. Levels alone or of targets are taken, and no
/// other filters: one that is misspelled would switch all off.
///
/// # Errors
///
/// It is malformed; or the log is somebody else's.
pub fn set_level(text: &str) -> Result<(), LogError> {
    let level = |text: &str| !text.is_empty() && text.parse::<LevelFilter>().is_ok();
    let is_target =
        |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_:".contains(&b));
    for part in text.split(',').map(str::trim) {
        let is_one = match part.split_once('=') {
            None => level(part),
            Some((target, rest)) => is_target(target) && target != GSTREAMER_TARGET && level(rest),
        };
        if !is_one {
            return Err(LogError::Level { part: part.to_owned() });
        }
    }
    let reload = RELOAD.get().ok_or(LogError::NotOurs)?;
    reload(filter(text)).map_err(|_| LogError::NotOurs)
}

/// Lets `text`, as in `GST_DEBUG`, decide what of GStreamer's log is logged from now on, up to the level `LOG`.
///
/// # Errors
///
/// It is malformed, or asks for more.
pub fn set_gstreamer_level(text: &str) -> Result<(), LogError> {
    let mut thresholds = Vec::new();
    for part in text.split(',').map(str::trim) {
        let (category, level) = part.split_once(':').unwrap_or(("*", part));
        let is_name = |b: u8| b.is_ascii_alphanumeric() || b"-_*?".contains(&b);
        let is_category = !category.is_empty() && category.bytes().all(is_name);
        let named = GSTREAMER_LEVELS.iter().position(|name| name.eq_ignore_ascii_case(level)).map(|at| at as u32);
        let level = named.or_else(|| level.parse().ok()).filter(|level| *level <= GSTREAMER_LEVEL_MAX);
        match level.filter(|_| is_category) {
            Some(level) => thresholds.push(format!("{category}:{level}")),
            None => return Err(LogError::GstreamerLevel { part: part.to_owned() }),
        }
    }
    gst::log::set_threshold_from_string(&thresholds.join(","), true);
    Ok(())
}

/// GStreamer has levels of its own: what they let through always appears.
fn filter(text: &str) -> EnvFilter {
    EnvFilter::builder().parse_lossy(format!("{text},{GSTREAMER_TARGET}=trace"))
}

/// Sends logs to stderr. Called once, before GStreamer is initialised.
pub fn start() {
    let chosen = std::env::var(VARIABLE).unwrap_or_else(|_| DEFAULT.to_owned());
    // A log that nobody reads any more must not end a recording: what cannot be written would be told by a panic.
    let is_terminal = std::io::stderr().is_terminal();
    let logs = fmt().with_env_filter(filter(&chosen)).with_writer(std::io::stderr).with_ansi(is_terminal);
    let logs = logs.log_internal_errors(false).with_filter_reloading();
    let reload = logs.reload_handle();
    if logs.try_init().is_err() {
        // Somebody else's subscriber is there: a test's. It gets the same records.
        tracing::debug!("logs go to the subscriber that is there");
    } else {
        // Nobody has been here before.
        let _ = RELOAD.set(Box::new(move |filter| reload.reload(filter)));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_level_changes_no_log() {
        for part in ["", "verbose", "reelgraph=", "=debug", "a=loud", "gst=off", "[span]=debug", "a{b=c}=info", "9"] {
            let text = format!("info,{part}");
            assert_eq!(set_level(&text), Err(LogError::Level { part: part.to_owned() }));
        }
        // A test's log is nobody's to change.
        assert_eq!(set_level("info,reelgraph::engine=debug"), Err(LogError::NotOurs));
    }

    #[test]
    fn gstreamer_is_not_asked_for_media() {
        for part in ["7", "9", "TRACE", "MEMDUMP", "reelsink:9", "reelsink:MEMDUMP", "a:b:1", ":3", "", "a b:1", "-1"] {
            let text = format!("3,{part}");
            assert_eq!(set_gstreamer_level(&text), Err(LogError::GstreamerLevel { part: part.to_owned() }));
        }
    }
}
