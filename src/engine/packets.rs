//! A track of packets as frames: what `media` has put in place becomes buffers with caps.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use crate::engine::Frame;
use crate::engine::Packets;
use crate::engine::Pulled;
use crate::engine::Track;
use crate::engine::TrackError;
use crate::media::Codec;
use crate::media::CursorId;
use crate::media::HOLD;
use crate::media::Hole;
use crate::media::Next;
use crate::media::ReadMark;
use crate::media::Track as MediaTrack;
use crate::media::lock;

/// Longest frame that packets are joined to: a tick of a busy worker.
const JOINED_MAX_NS: u64 = 200_000_000;

/// Shorter packets are not expected in number.
const SHORTEST_NS: u64 = 10_000_000;

const HOLD_NS: i64 = HOLD.as_nanos() as i64;

/// Where packets come from that nobody else brings.
pub trait Arrivals: Send {
    /// Lets `track` receive all that arrived before `until_ns`; returns false where nothing more will come, ever.
    ///
    /// # Errors
    ///
    /// What is wrong with where they come from. After a fatal one nothing more comes.
    fn deliver(&mut self, track: &mut MediaTrack, until_ns: i64) -> Result<bool, TrackError>;
}

/// Packets come by themselves: a reader of sockets brings them.
#[derive(Debug, Clone, Copy)]
pub struct Live;

impl Arrivals for Live {
    fn deliver(&mut self, _track: &mut MediaTrack, _until_ns: i64) -> Result<bool, TrackError> {
        Ok(true)
    }
}

/// What follows the frames that are ready.
#[derive(Debug, Clone, Copy)]
enum Follows {
    More(Hole),
    Goodbye,
    Nothing,
}

/// A recording's view of a track of packets.
pub struct PacketTrack<A> {
    track: Arc<Mutex<MediaTrack>>,
    cursor: CursorId,
    /// Track time zero, in ns of the clock of the packets' arrival.
    zero_ns: i64,
    arrivals: A,
    ready: VecDeque<Frame>,
    caps: Option<(Codec, gst::Caps)>,
    follows: Follows,
    /// All that begins before has been read.
    read_ns: i64,
    has_more: bool,
    /// Why nothing more comes: told behind what had come before.
    damage: Option<TrackError>,
    reader: Option<Arc<ReadMark>>,
}

impl<A: Arrivals> PacketTrack<A> {
    /// Returns a view that begins at `zero_ns`: what stands before is not heard.
    pub fn new(track: Arc<Mutex<MediaTrack>>, zero_ns: i64, arrivals: A) -> Self {
        let (cursor, reader) = {
            let mut track = lock(&track);
            (track.open(zero_ns), track.reader())
        };
        Self {
            track,
            cursor,
            zero_ns,
            arrivals,
            ready: VecDeque::new(),
            caps: None,
            follows: Follows::More(Hole::Pause),
            read_ns: zero_ns,
            has_more: true,
            damage: None,
            reader,
        }
    }

    /// Reads all that begins before `until_ns`.
    fn read(&mut self, until_ns: i64) -> Result<(), TrackError> {
        let track = Arc::clone(&self.track);
        let mut track = lock(&track);
        // What arrives within the hold after its time is heard; the clock of a recording is behind by that.
        let now_ns = until_ns.saturating_add(HOLD_NS);
        let delivered = if self.has_more { self.arrivals.deliver(&mut track, now_ns) } else { Ok(false) };
        let mut told = Ok(());
        match delivered {
            Ok(has_more) => self.has_more = has_more,
            Err(error) if error.fatal => (self.has_more, self.damage) = (false, Some(error)),
            Err(error) => told = Err(error),
        }
        track.advance(until_ns, now_ns);
        let mut joined = Joined::default();
        let (zero_ns, ready, caps) = (self.zero_ns, &mut self.ready, &mut self.caps);
        let next = track.read(self.cursor, until_ns, |frame| {
            let Ok(pts_ns) = u64::try_from(frame.place_ns - zero_ns) else { return };
            let duration_ns = frame.duration_ns.unsigned_abs();
            if !joined.takes(frame.codec, pts_ns, duration_ns, frame.after_loss || frame.begins_spurt) {
                ready.extend(joined.take(caps));
            }
            joined.add(frame.codec, pts_ns, duration_ns, frame.after_loss, &frame.payload);
        });
        ready.extend(joined.take(caps));
        self.read_ns = until_ns;
        self.follows = match next {
            _ if !self.has_more && !track.has_waiting(self.cursor) => Follows::Nothing,
            Next::More(hole) => Follows::More(hole),
            Next::End => Follows::Goodbye,
        };
        told
    }
}

impl<A: Arrivals> Track for PacketTrack<A> {
    fn next_frame(&mut self, until: Duration) -> Result<Pulled, TrackError> {
        let until_ns = self.zero_ns.saturating_add(i64::try_from(until.as_nanos()).unwrap_or(i64::MAX));
        if self.ready.is_empty() && until_ns > self.read_ns {
            self.read(until_ns)?;
        }
        Ok(match (self.ready.pop_front(), self.follows) {
            (Some(frame), _) => Pulled::Frame(frame),
            (None, Follows::More(hole)) => Pulled::NotYet(hole),
            (None, Follows::Goodbye) => Pulled::Gone,
            (None, Follows::Nothing) => match self.damage.take() {
                Some(damage) => return Err(damage),
                None => Pulled::End,
            },
        })
    }

    fn declared_duration(&self) -> Option<Duration> {
        None
    }

    fn read_ns(&self) -> Option<i64> {
        self.reader.as_ref().map(|reader| reader.get())
    }

    fn packets(&self) -> Option<Packets> {
        let track = lock(&self.track);
        Some(Packets { stats: track.stats(), skew_ppb: track.skew_ppb() })
    }
}

impl<A> Drop for PacketTrack<A> {
    fn drop(&mut self) {
        lock(&self.track).close(self.cursor);
    }
}

/// Packets that become one frame: where a codec allows it, all of a tick that follow each other.
#[derive(Default)]
struct Joined {
    codec: Option<Codec>,
    pts_ns: u64,
    duration_ns: u64,
    after_loss: bool,
    payload: Vec<u8>,
}

impl Joined {
    /// Tells whether a packet can be joined to those that are there.
    fn takes(&self, codec: Codec, pts_ns: u64, duration_ns: u64, is_apart: bool) -> bool {
        let fits = self.duration_ns + duration_ns <= JOINED_MAX_NS;
        let is_next = pts_ns == self.pts_ns + self.duration_ns && !is_apart;
        self.codec.is_none() || (self.codec == Some(codec) && codec.can_be_joined() && is_next && fits)
    }

    fn add(&mut self, codec: Codec, pts_ns: u64, duration_ns: u64, after_loss: bool, payload: &[u8]) {
        if self.codec.is_none() {
            (self.codec, self.pts_ns, self.after_loss) = (Some(codec), pts_ns, after_loss);
            let n_max = if codec.can_be_joined() { JOINED_MAX_NS / duration_ns.max(SHORTEST_NS) } else { 1 };
            self.payload.reserve(n_max as usize * payload.len());
        }
        self.duration_ns += duration_ns;
        self.payload.extend_from_slice(payload);
    }

    fn take(&mut self, caps: &mut Option<(Codec, gst::Caps)>) -> Option<Frame> {
        let Self { codec, pts_ns, duration_ns, after_loss, payload } = std::mem::take(self);
        let codec = codec?;
        let mut buffer = gst::Buffer::from_mut_slice(payload);
        let stamped = buffer.get_mut()?;
        stamped.set_pts(gst::ClockTime::from_nseconds(pts_ns));
        stamped.set_duration(gst::ClockTime::from_nseconds(duration_ns));
        if after_loss {
            stamped.set_flags(gst::BufferFlags::DISCONT);
        }
        let known = caps.as_ref().filter(|(known, _)| *known == codec);
        let caps = known.map(|(_, caps)| caps.clone()).unwrap_or_else(|| {
            let made = caps_of(codec);
            *caps = Some((codec, made.clone()));
            made
        });
        Some(Frame { buffer, caps })
    }
}

/// Returns the caps of a codec's payloads, as depayloaders of GStreamer have them.
fn caps_of(codec: Codec) -> gst::Caps {
    let of = |name: &str, rate: u32, channels: u32| {
        gst::Caps::builder(name).field("rate", rate as i32).field("channels", channels as i32)
    };
    match codec {
        Codec::Opus => of("audio/x-opus", 48_000, 2).field("channel-mapping-family", 0i32).build(),
        Codec::Pcmu => of("audio/x-mulaw", 8_000, 1).build(),
        Codec::Pcma => of("audio/x-alaw", 8_000, 1).build(),
        Codec::G722 => of("audio/G722", 16_000, 1).build(),
        Codec::L16 { rate, channels } => {
            of("audio/x-raw", rate, channels).field("format", "S16BE").field("layout", "interleaved").build()
        }
    }
}
