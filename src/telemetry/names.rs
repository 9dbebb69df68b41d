//! Every metric that there is: its name, its kind, its labels, what it means. docs/metrics.md has the same table.
//!
//! Names follow Prometheus: `reelgraph_<what>_<unit>`, base units, `_total` behind counters. A label is an enum of few
//! values; what names a recording, a file or a person is none.

/// What kind of a metric one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// How often values were below each of some bounds.
    Histogram,
}

impl Kind {
    /// Returns its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// Makes the enum with all that is known of each, so that nothing is listed twice.
macro_rules! metrics {
    ($($metric:ident = $name:literal $kind:ident [$($label:literal),*] $help:literal;)+) => {
        /// A metric.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Metric {
            $(#[doc = $help] $metric,)+
        }

        impl Metric {
            /// Every metric there is, in the order of docs/metrics.md.
            pub const ALL: &[Self] = &[$(Self::$metric),+];

            /// Returns its name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$metric => $name,)+ }
            }

            /// Returns what kind it is.
            pub const fn kind(self) -> Kind {
                match self { $(Self::$metric => Kind::$kind,)+ }
            }

            /// Returns the names of its labels.
            pub const fn labels(self) -> &'static [&'static str] {
                match self { $(Self::$metric => &[$($label),*],)+ }
            }

            /// Returns what it means: a sentence.
            pub const fn help(self) -> &'static str {
                match self { $(Self::$metric => $help,)+ }
            }
        }
    };
}

metrics! {
    RecordingsActive = "reelgraph_recordings_active" Gauge ["state"]
        "Recordings that this process has begun and that have not ended.";
    RecordingsStarted = "reelgraph_recordings_started_total" Counter ["format"]
        "Recordings that a worker has taken.";
    RecordingsEnded = "reelgraph_recordings_ended_total" Counter ["reason"]
        "Recordings that have ended and of which all that could be is stored.";
    RecordingsGivenUp = "reelgraph_recordings_given_up_total" Counter []
        "Recordings that blocked their worker or panicked, and were ended for it.";
    RecordingStart = "reelgraph_recording_start_seconds" Histogram []
        "Time from the request until a worker has taken the recording, which holds what came meanwhile.";
    PauseEffectError = "reelgraph_pause_effect_error_seconds" Histogram []
        "Recording time by which pauses and resumes took effect later than they were asked for.";
    RecordingReady = "reelgraph_recording_ready_seconds" Histogram []
        "Time from the stop of a recording, or its end by itself, until all of its files are stored.";
    RecordedSeconds = "reelgraph_recorded_seconds_total" Counter []
        "Recording time that was recorded, pauses taken out.";
    PausedSeconds = "reelgraph_paused_seconds_total" Counter []
        "Recording time that was paused.";
    ConcealedSeconds = "reelgraph_concealed_seconds_total" Counter []
        "Audio of participants that was made up for what was lost, in each recording.";
    SilentSeconds = "reelgraph_silent_seconds_total" Counter []
        "Time during which nothing was heard of participants who were recorded, in each recording.";
    LostSeconds = "reelgraph_lost_seconds_total" Counter []
        "Decoded audio that found no place in a recording, counted when the recording ends.";
    ChunksStored = "reelgraph_chunks_stored_total" Counter ["format"]
        "Finished files that are stored with their metadata.";
    StoredBytes = "reelgraph_stored_bytes_total" Counter []
        "Size of the finished files that are stored.";
    AutoRecordRefusals = "reelgraph_auto_record_refusals_total" Counter []
        "Calls that could not be recorded as a rule says, each time that it was tried.";
    PacketsReceived = "reelgraph_packets_received_total" Counter []
        "Datagrams that came to the ports of calls.";
    Packets = "reelgraph_packets_total" Counter ["outcome"]
        "Datagrams that came to the ports of calls, by what became of them.";
    PacketsLost = "reelgraph_packets_lost_total" Counter []
        "Packets that never came while somebody recorded, as far as sequence numbers tell.";
    KernelDrops = "reelgraph_kernel_dropped_packets_total" Counter []
        "Datagrams that the kernel had no room for.";
    Workers = "reelgraph_workers" Gauge []
        "Threads that recordings run on.";
    WorkerBusyRatio = "reelgraph_worker_busy_ratio" Gauge []
        "Share of its time that the busiest worker was busy of late.";
    WorkerBusySeconds = "reelgraph_worker_busy_seconds_total" Counter []
        "Time that workers were busy.";
    TickLateness = "reelgraph_tick_lateness_seconds" Histogram []
        "How much later than it was due the tick of a recording began.";
    SpoolBytes = "reelgraph_spool_bytes" Gauge []
        "Size of the files of recordings that are not stored yet.";
    SpoolOldestAge = "reelgraph_spool_oldest_age_seconds" Gauge []
        "Time since the last write to that recording, of those not stored yet, which was not written to for longest.";
    DiskFreeBytes = "reelgraph_disk_free_bytes" Gauge []
        "Room on the disk of the data directory for whoever the service runs as.";
    CatalogBehind = "reelgraph_catalog_behind" Gauge []
        "Whether the catalog cannot be written, so that what is to be written waits: 1 or 0.";
    HttpRequests = "reelgraph_http_requests_total" Counter ["operation", "class"]
        "Requests by what was asked for and by the first digit of the status of the answer.";
    HttpRequestSeconds = "reelgraph_http_request_seconds" Histogram ["operation"]
        "Time from the head of a request until the head of its answer.";
    RequestsRejected = "reelgraph_requests_rejected_total" Counter ["reason"]
        "Requests that were refused, by why.";
    BuildInfo = "reelgraph_build_info" Gauge ["version"]
        "Always 1, with the version of the program.";
    ProcessStart = "process_start_time_seconds" Gauge []
        "When the service was started, in seconds since 1970-01-01T00:00:00Z.";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_as_prometheus_wants_them() {
        const UNITS: [&str; 3] = ["seconds", "bytes", "ratio"];
        for metric in Metric::ALL {
            let (name, help) = (metric.name(), metric.help());
            let is_snake = |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            assert!(name.starts_with("reelgraph_") || *metric == Metric::ProcessStart, "{name}");
            assert!(is_snake(name) && metric.labels().iter().all(|label| is_snake(label)), "{name}");
            assert_eq!(name.ends_with("_total"), metric.kind() == Kind::Counter, "{name}");
            let is_timed = name.trim_end_matches("_total").ends_with("_seconds");
            assert!(is_timed || metric.kind() != Kind::Histogram, "{name}");
            // A unit stands last.
            let words: Vec<_> = name.trim_end_matches("_total").split('_').collect();
            let early = &words[..words.len() - 1];
            assert!(!early.iter().any(|word| UNITS.contains(word)), "{name}");
            let is_sentence = help.starts_with(|c: char| c.is_ascii_uppercase()) && help.ends_with('.');
            assert!(is_sentence && !help.contains(['\n', '\\', '|']), "{name}: {help}");
        }
        let names: BTreeSet<_> = Metric::ALL.iter().map(|metric| metric.name()).collect();
        assert_eq!(names.len(), Metric::ALL.len());
    }
}
