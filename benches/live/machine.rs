//! What the figures were measured on, and with which versions.

use crate::ffmpeg;
use crate::here::package;
use crate::here::today_and_here;

/// Returns a line with machine, versions and date.
pub(crate) fn line() -> String {
    let ffmpeg = ffmpeg::version().unwrap_or_else(|| "not installed".to_owned());
    format!(
        "{}; {}; {} (Reelgraph and floor), {} (stock); LAME {}; ffmpeg {ffmpeg}",
        today_and_here(),
        gst::version_string(),
        opus::version(),
        package("libopus0"),
        package("libmp3lame0"),
    )
}
