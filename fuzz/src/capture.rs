//! Any bytes as a capture file: read at once, in small pieces, and surveyed; all three must agree.

use std::io;
use std::io::Read;

use reelgraph::ingest::capture::CaptureError;
use reelgraph::ingest::capture::Counts;
use reelgraph::ingest::capture::STREAMS_MAX;
use reelgraph::ingest::capture::scan;
use reelgraph::ingest::capture::survey_reader;

/// Gives a few bytes at a time.
struct Trickle<'a>(&'a [u8], usize);

impl Read for Trickle<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.1 = self.1 % 7 + 1;
        let n = self.1.min(into.len());
        self.0.read(&mut into[..n])
    }
}

pub(crate) fn run(bytes: &[u8]) {
    let scanned = scan(bytes);
    let trickled = scan(Trickle(bytes, 0));
    // What it is instead is guessed from as much as has been read.
    let text = |result: &Result<Counts, CaptureError>| match result {
        Err(CaptureError::NotCapture { .. }) => Err("no capture".to_owned()),
        Err(error) => Err(error.to_string()),
        Ok(counts) => Ok(*counts),
    };
    assert_eq!(text(&scanned), text(&trickled));
    let Ok(survey) = survey_reader(bytes) else {
        assert!(scanned.is_err(), "read, and not surveyed");
        return;
    };
    assert_eq!(survey.damage.is_none(), scanned.is_ok());
    let Counts { packets, datagrams, not_udp, fragments, truncated, malformed, unsupported_links, untimed } =
        survey.counts;
    assert_eq!(packets, datagrams + not_udp + fragments + truncated + malformed + unsupported_links + untimed);
    if let Ok(counts) = scanned {
        assert_eq!(counts, survey.counts);
    }
    let streams = &survey.found.streams;
    assert!(streams.len() <= STREAMS_MAX);
    assert!(streams.iter().map(|stream| stream.packets).sum::<u64>() <= datagrams);
    for stream in streams {
        assert!(stream.packets >= 3 && stream.first_at_ns <= stream.last_at_ns && !stream.payload_types.is_empty());
    }
}
