//! What was read of a capture, to compare.

use std::io::Read;
use std::path::Path;

use reelgraph::ingest::capture::Capture;
use reelgraph::ingest::capture::CaptureError;
use reelgraph::ingest::capture::Counts;

/// A datagram that outlives its capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReadDatagram {
    pub(crate) at_ns: i64,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) payload: Vec<u8>,
}

/// A whole capture, read.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) datagrams: Vec<ReadDatagram>,
    pub(crate) counts: Counts,
    pub(crate) error: Option<CaptureError>,
}

/// Reads to the end, and checks what is true of every capture.
pub(crate) fn read(reader: impl Read) -> Reading {
    match Capture::new(reader) {
        Ok(capture) => read_on(capture),
        Err(error) => Reading { datagrams: Vec::new(), counts: Counts::default(), error: Some(error) },
    }
}

/// Reads a file that has to be a capture without damage.
#[track_caller]
pub(crate) fn read_file(path: &Path) -> Reading {
    let reading = read_on(Capture::open(path).unwrap_or_else(|error| panic!("{path:?}: {error}")));
    assert!(reading.error.is_none(), "{path:?}: {:?}", reading.error);
    reading
}

fn read_on<R: Read>(mut capture: Capture<R>) -> Reading {
    let mut datagrams = Vec::new();
    let error = loop {
        match capture.next_datagram() {
            Ok(Some(datagram)) => datagrams.push(ReadDatagram {
                at_ns: datagram.at_ns,
                from: datagram.from.to_string(),
                to: datagram.to.to_string(),
                payload: datagram.payload.to_vec(),
            }),
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    assert!(matches!(capture.next_datagram(), Ok(None)), "an end is an end, an error is told once");
    let counts = capture.counts();
    let Counts { packets, not_udp, fragments, truncated, malformed, unsupported_links, untimed, .. } = counts;
    let others = not_udp + fragments + truncated + malformed + unsupported_links + untimed;
    assert_eq!(packets, counts.datagrams + others, "{counts:?}");
    assert_eq!(counts.datagrams, datagrams.len() as u64, "{counts:?}");
    Reading { datagrams, counts, error }
}
