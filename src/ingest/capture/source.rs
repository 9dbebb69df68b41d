//! A capture as the place where a track's packets come from, at the times at which they were captured.

use std::net::SocketAddr;
use std::path::Path;

use crate::engine::Arrivals;
use crate::engine::TrackError;
use crate::ingest::capture::CaptureError;
use crate::ingest::capture::Select;
use crate::ingest::capture::datagrams::Capture;
use crate::ingest::capture::select::Chosen;
use crate::ingest::capture::select::select;
use crate::media::Track;

/// Nobody is silent for so long in one call. Else a single time that is wrong would make years of silence.
const SILENCE_MAX_NS: i64 = HOUR_NS;

/// Nobody joins a call so long after its capture begins.
const BEGIN_MAX_NS: i64 = 24 * HOUR_NS;

const HOUR_NS: i64 = 3_600 * 1_000_000_000;

/// Records may be out of order by so much: several interfaces were captured at once. Where time goes back by more, the
/// clock was set, or a time is wrong.
const BACK_MAX_NS: i64 = 1_000_000_000;

/// A datagram that was read and is not due yet.
struct Pending {
    at_ns: i64,
    from: SocketAddr,
    payload: Vec<u8>,
}

/// The packets of one track in a capture.
///
/// Named by port, all that was sent there comes, and to the port of its RTCP, as a socket would have had it; named
/// otherwise, only packets of the streams that were found.
pub struct PacketSource {
    capture: Capture,
    select: Select,
    chosen: Chosen,
    pending: Option<Pending>,
    first_at_ns: i64,
    /// By how much time has gone back, if it has; and whether that has been told.
    back_ns: Option<i64>,
    is_back_told: bool,
    /// The latest so far: a capture may be out of order by a little.
    at_ns: Option<i64>,
}

impl PacketSource {
    /// Opens a capture and looks for the stream that is meant.
    ///
    /// # Errors
    ///
    /// It is no capture, or nobody can tell which stream is meant.
    pub fn open(path: &Path, select_by: Select) -> Result<Self, CaptureError> {
        let chosen = select(path, select_by)?;
        // Time zero of a call is when the capture begins, whoever spoke first.
        let first_at_ns = match Capture::open(path)?.next_datagram()? {
            Some(first) => first.at_ns,
            None => return Err(CaptureError::NoStream),
        };
        let capture = Capture::open(path)?;
        Ok(Self {
            capture,
            select: select_by,
            chosen,
            pending: None,
            first_at_ns,
            back_ns: None,
            is_back_told: false,
            at_ns: None,
        })
    }

    /// Returns when the capture begins, in ns since the epoch.
    pub fn first_at_ns(&self) -> i64 {
        self.first_at_ns
    }

    /// Returns the payload types that the streams have, those of most packets first.
    pub fn payload_types(&self) -> Vec<u8> {
        self.chosen.streams.iter().flat_map(|stream| stream.payload_types.clone()).collect()
    }

    /// Says once that time has gone back, if it has.
    fn tell_back(&mut self) -> Option<CaptureError> {
        let back_ns = self.back_ns.filter(|_| !self.is_back_told)?;
        self.is_back_told = true;
        Some(CaptureError::Back { seconds: back_ns as f64 / 1e9 })
    }

    /// Says whether there is more, unless something else has to be said first.
    fn told(&mut self, is_more: bool) -> Result<bool, TrackError> {
        self.tell_back().map_or(Ok(is_more), |back| Err(TrackError { text: back.to_string(), fatal: false }))
    }

    /// Reads on until a datagram is one of the track's; false at the end.
    fn read(&mut self) -> Result<bool, CaptureError> {
        loop {
            let Some(datagram) = self.capture.next_datagram()? else { return Ok(false) };
            let is_ours = match self.select {
                Select::Port(port) | Select::Both { port, .. } => {
                    datagram.to.port() == port || Some(datagram.to.port()) == port.checked_add(1)
                }
                Select::Ssrc(_) | Select::Only => self.chosen.has(&datagram),
            };
            if is_ours {
                let at_ns = self.at_ns.map_or(datagram.at_ns, |before_ns| before_ns.max(datagram.at_ns));
                let back_ns = at_ns.saturating_sub(datagram.at_ns);
                if back_ns > BACK_MAX_NS {
                    self.back_ns.get_or_insert(back_ns);
                }
                let apart_ns = at_ns.saturating_sub(self.at_ns.unwrap_or(self.first_at_ns));
                if apart_ns > if self.at_ns.is_some() { SILENCE_MAX_NS } else { BEGIN_MAX_NS } {
                    return Err(CaptureError::Apart { hours: (apart_ns / HOUR_NS).unsigned_abs() });
                }
                self.at_ns = Some(at_ns);
                self.pending = Some(Pending { at_ns, from: datagram.from, payload: datagram.payload.to_vec() });
                return Ok(true);
            }
        }
    }
}

impl Arrivals for PacketSource {
    fn deliver(&mut self, track: &mut Track, until_ns: i64) -> Result<bool, TrackError> {
        loop {
            if let Some(pending) = self.pending.take_if(|pending| pending.at_ns < until_ns) {
                track.receive(&pending.payload, pending.from, pending.at_ns);
            }
            if self.pending.is_some() {
                return self.told(true);
            }
            match self.read() {
                Ok(true) => (),
                Ok(false) => return self.told(false),
                Err(error) => {
                    let back = self.tell_back().map(|back| format!("{back}; ")).unwrap_or_default();
                    return Err(TrackError { text: format!("{back}{error}"), fatal: true });
                }
            }
        }
    }
}
