//! A call, from its source to its end: pulls frames, sends what is due, counts it.

use std::fs::File;
use std::io::BufWriter;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use crate::send::ahead::Ahead;
use crate::send::capture::Capture;
use crate::send::clock::SenderClock;
use crate::send::codec::Codec;
use crate::send::error::SendError;
use crate::send::frame::Kind;
use crate::send::frame::Next;
use crate::send::frame::Source;
use crate::send::impair::Impairments;
use crate::send::live;
use crate::send::live::Live;
use crate::send::numbered::Numbered;
use crate::send::packet;
use crate::send::schedule::Due;
use crate::send::schedule::Schedule;
use crate::send::schedule::What;
use crate::send::stream::Identity;
use crate::send::stream::Stream;
use crate::send::summary::LastSerial;
use crate::send::summary::Sent;
use crate::send::summary::Summary;
use crate::send::voice::Voice;
use crate::send::wire::Port;
use crate::send::wire::Wire;

/// Most streams of a call: their ports, two each, must all be there.
pub const STREAMS_MAX: usize = 4_096;

/// Seed of a call for which none is given.
pub const SEED_DEFAULT: u64 = 1;

/// Port of the first stream in a capture for which none is given.
pub const CAPTURE_PORT_DEFAULT: u16 = 5_004;

/// What is said.
#[derive(Debug, Clone)]
pub enum Media {
    /// Numbered frames without end.
    Serial,
    /// What is in a media file.
    File {
        /// Its name, which may be any bytes.
        path: PathBuf,
        /// How it is sent.
        codec: Codec,
        /// Silence is not sent.
        dtx: bool,
        /// After its end it begins again.
        repeats: bool,
    },
}

/// Where to.
#[derive(Debug, Clone)]
pub enum Destination {
    /// A peer, in real time.
    Live {
        /// IP address or name.
        host: String,
        /// Of the first stream; the others go to every second port behind it.
        port: u16,
    },
    /// A file, as fast as the machine can.
    Capture {
        /// Its name. A file that is there is overwritten.
        path: PathBuf,
        /// Of the first stream.
        port: u16,
    },
}

/// A call to be sent.
#[derive(Debug, Clone)]
pub struct Request {
    /// What is said.
    pub media: Media,
    /// Where to.
    pub to: Destination,
    /// What the network does to it.
    pub impairments: Impairments,
    /// How fast the sender's clock is, in parts of 10⁹.
    pub skew_ppb: i64,
    /// Seed of all that is left to chance.
    pub seed: u64,
    /// How much media is sent; else all of it.
    pub duration: Option<Duration>,
    /// When the media begins, from time zero.
    pub start: Duration,
    /// How often the same media is sent, 1 ‥ [`STREAMS_MAX`].
    pub n_streams: usize,
    /// SSRC of the first stream, from which the others count on; else by chance.
    pub ssrc: Option<u32>,
    /// Payload type in place of the codec's.
    pub payload_type: Option<u8>,
    /// Reports go to the port of the packets.
    pub rtcp_mux: bool,
    /// Gets a line per numbered packet that was sent: its number and when, in nanoseconds of the monotonic clock.
    pub log: Option<PathBuf>,
}

/// Sends a call. `go_on` is asked at least every 50 ms: when it says no, what was sent by then still arrives, every
/// stream says goodbye, and that is the end.
///
/// Blocks for as long as the call is. Needs `gst::init` for a file.
///
/// # Errors
///
/// Nothing, or not all, could be sent. What was sent ended with a goodbye, unless it could not be sent any more.
pub fn run(request: &Request, go_on: impl Fn() -> bool) -> Result<Summary, SendError> {
    let (codec, mut source) = open_source(&request.media)?;
    let start_ns = u64::try_from(request.start.as_nanos()).unwrap_or(u64::MAX);
    let clock = SenderClock::new(codec.clock_hz(), request.skew_ppb, start_ns);
    let stream = |index| Stream::new(request.seed, index, request.ssrc, request.impairments);
    let mut schedule = Schedule::new(codec, clock, (0..request.n_streams).map(stream).collect());
    let mut log = request.log.as_deref().map(Log::create).transpose()?;
    let (mut wire, port) = open_wire(request)?;
    let port_of = |index: usize| port.saturating_add((2 * index).min(0xFFFF) as u16);
    let sent = schedule.identities().enumerate().map(|(index, identity)| Sent::new(identity, port_of(index)));
    let mut desk = Desk {
        payload_type: request.payload_type.unwrap_or(codec.payload_type()),
        utc_ns: wire.zero().utc_ns,
        streams: sent.collect(),
        last_serial: None,
        ended_ns: 0,
        bytes: Vec::new(),
    };
    let limit = request.duration.map(|duration| ticks_of(duration, codec));
    let (mut was_stopped, mut failed) = (false, None);
    loop {
        while schedule.wants_frame() {
            match source.next() {
                Ok(Next::Frame(frame)) if limit.is_none_or(|limit| frame.ticks < limit) => schedule.push(frame),
                Ok(Next::Frame(frame)) => schedule.end(limit.unwrap_or(frame.ticks)),
                Ok(Next::End(ticks)) => schedule.end(limit.map_or(ticks, |limit| limit.min(ticks))),
                Err(error) => {
                    failed = Some(error);
                    schedule.end(0);
                }
            }
        }
        let Some(at_ns) = schedule.next_at() else { break };
        if !was_stopped && !go_on() {
            was_stopped = true;
            schedule.stop(wire.now_ns());
            continue;
        }
        if !wire.has_come(at_ns) {
            log.as_mut().map(Log::flush).transpose()?;
            if !wire.wait(at_ns)? {
                continue;
            }
        }
        let Some(due) = schedule.pop() else { break };
        let sent = desk.send(due, wire.as_mut()).and_then(|at_ns| match (&mut log, desk.last_serial, at_ns) {
            (Some(log), Some(last), Some(at_ns)) => {
                log.note(last.number, wire.zero().monotonic_ns.unwrap_or(0) + at_ns)
            }
            _ => Ok(()),
        });
        if let (Err(error), None) = (sent, &failed) {
            // The others say goodbye all the same.
            failed = Some(error);
            schedule.stop(wire.now_ns());
        }
    }
    let delivery = wire.close()?;
    log.as_mut().map(Log::flush).transpose()?;
    if let Some(error) = failed {
        return Err(error);
    }
    let (zero, seed) = (wire.zero(), request.seed);
    let Desk { streams, last_serial, ended_ns, .. } = desk;
    Ok(Summary { codec, seed, zero, ended_ns, was_stopped, delivery, last_serial, streams })
}

fn open_source(media: &Media) -> Result<(Codec, Box<dyn Source>), SendError> {
    Ok(match media {
        Media::Serial => (Codec::Pcmu, Box::new(Numbered::default())),
        Media::File { path, codec, dtx, repeats } => {
            let voice = Voice { path: path.clone(), codec: *codec, dtx: *dtx, repeats: *repeats };
            (*codec, Box::new(Ahead::open(voice)?))
        }
    })
}

fn open_wire(request: &Request) -> Result<(Box<dyn Wire>, u16), SendError> {
    Ok(match &request.to {
        Destination::Live { host, port } => {
            let ip = live::resolve(host)?;
            (Box::new(Live::open(ip, *port, request.n_streams, request.rtcp_mux)?), *port)
        }
        Destination::Capture { path, port } => (Box::new(Capture::create(path, *port, request.rtcp_mux)?), *port),
    })
}

/// Returns the first tick that is not within a duration.
fn ticks_of(duration: Duration, codec: Codec) -> u64 {
    let ticks = (duration.as_nanos() * u128::from(codec.clock_hz())).div_ceil(1_000_000_000);
    u64::try_from(ticks).unwrap_or(u64::MAX)
}

/// Writes what is due, and counts what was sent.
struct Desk {
    payload_type: u8,
    /// Time zero, in nanoseconds from 1970.
    utc_ns: u64,
    streams: Vec<Sent>,
    last_serial: Option<LastSerial>,
    ended_ns: u64,
    bytes: Vec<u8>,
}

impl Desk {
    /// Sends what is due. Returns when a numbered frame was sent, if it was one.
    fn send(&mut self, due: Due, wire: &mut dyn Wire) -> Result<Option<u64>, SendError> {
        let Due { at_ns, stream, what } = due;
        let Some(sent) = self.streams.get_mut(stream) else { return Ok(None) };
        let identity: Identity = sent.identity;
        self.bytes.clear();
        self.ended_ns = at_ns;
        match what {
            What::Lost => sent.lost += 1,
            What::Packet { frame, index } => {
                packet::rtp(&mut self.bytes, &identity, self.payload_type, index, &frame)?;
                let Some(at_ns) = wire.put(at_ns, stream, Port::Rtp, &self.bytes)? else { return Ok(None) };
                sent.count(index, self.bytes.len());
                if let Kind::Serial(number) = frame.kind {
                    self.last_serial = Some(LastSerial { number, at_ns });
                    return Ok(Some(at_ns));
                }
            }
            What::Report { ticks, counts } | What::Bye { ticks, counts } => {
                let is_goodbye = matches!(what, What::Bye { .. });
                let utc_ns = self.utc_ns.saturating_add(at_ns);
                packet::rtcp(&mut self.bytes, &identity, utc_ns, ticks, counts, is_goodbye)?;
                let was_sent = wire.put(at_ns, stream, Port::Rtcp, &self.bytes)?.is_some();
                sent.reports += u64::from(was_sent);
            }
        }
        Ok(None)
    }
}

/// Numbers and times of what was sent, a line each.
struct Log {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Log {
    fn create(path: &std::path::Path) -> Result<Self, SendError> {
        let file = File::options().append(true).create(true).open(path);
        let file = file.map_err(|cause| SendError::Unwritable { path: path.to_owned(), cause })?;
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file) })
    }

    fn note(&mut self, number: u16, monotonic_ns: u64) -> Result<(), SendError> {
        let written = writeln!(self.file, "{number} {monotonic_ns}");
        written.map_err(|cause| SendError::Unwritable { path: self.path.clone(), cause })
    }

    /// Writes what was noted, while there is nothing to send.
    fn flush(&mut self) -> Result<(), SendError> {
        self.file.flush().map_err(|cause| SendError::Unwritable { path: self.path.clone(), cause })
    }
}
