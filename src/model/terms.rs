//! What a recording keeps to, and what it is found by.

use std::time::Duration;

use serde::Deserialize;
use serde::Serialize;

/// What happens to a recording that is paused for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AtMaxPause {
    /// It goes on: a pause that was forgotten is a call that is lost.
    Resume,
    /// It ends.
    Stop,
}

/// What a recording keeps to, and what it is found by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Terms {
    /// Words that whoever started it finds it by.
    pub tags: Vec<String>,
    /// Longest pause.
    pub max_pause: Duration,
    /// What happens then.
    pub at_max_pause: AtMaxPause,
    /// Longest time from its start to its end, pauses included.
    pub max_duration: Duration,
}

impl Terms {
    /// Tags that a recording may have.
    pub const TAGS_MAX: usize = 16;
    /// Longest tag.
    pub const TAG_BYTES_MAX: usize = 128;
    /// Shortest limit of a pause and of a recording.
    pub const LIMIT_MIN: Duration = Duration::from_secs(1);
    /// Longest limit.
    pub const LIMIT_MAX: Duration = Duration::from_secs(7 * 24 * 3_600);

    /// Returns whether a recording may have these tags.
    pub fn may_have<T: AsRef<str>>(tags: &[T]) -> bool {
        let is_tag = |tag: &T| (1..=Self::TAG_BYTES_MAX).contains(&tag.as_ref().len());
        tags.len() <= Self::TAGS_MAX && tags.iter().all(is_tag)
    }
}

impl Default for Terms {
    /// Returns those of a recording that was started before there were any.
    fn default() -> Self {
        let day = Duration::from_secs(24 * 3_600);
        Self { tags: Vec::new(), max_pause: day, at_max_pause: AtMaxPause::Resume, max_duration: day }
    }
}
