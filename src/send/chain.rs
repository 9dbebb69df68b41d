//! The pipeline of one file: decodes it, mixes it down, encodes it and puts it into RTP packets.
//!
//! Encoders and payloaders are GStreamer's, so that what receives them is not judged by its own kin. Must not know when
//! packets are sent.
//!
//! ```text
//!  filesrc ─► decodebin ─► audioconvert ─► audiorate ─► audioresample ─► caps ─► encoder ─► payloader ─► appsink
//!                                                                         └► levels, 20 ms each
//! ```
//!
//! `audiorate` fills holes of the file with silence, so that packets follow one another every 20 ms.

use gst::glib;
use gst::prelude::*;
use std::collections::VecDeque;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::mpsc;
use std::time::Duration;
use std::time::Instant;

use crate::send::codec::Codec;
use crate::send::error::SendError;
use crate::send::levels::Levels;

/// Packets that wait in memory for whoever pulls.
const PACKETS_MAX: u32 = 16;

/// How long a packet is waited for: storage may have to wake up, a decoder has nothing to wait for.
const PACKET_DEADLINE: Duration = Duration::from_secs(10);

/// How often it is asked whether the pipeline has failed.
const POLL: gst::ClockTime = gst::ClockTime::from_mseconds(20);

/// GStreamer's converter takes no more.
const CHANNELS_MAX: i32 = 63;

/// What names other media, and would have it fetched: a file is only ever read.
const REFERENCES: [&str; 6] = [
    "application/x-hls",
    "application/dash+xml",
    "application/vnd.ms-sstr+xml",
    "application/sdp",
    "text/uri-list",
    "application/x-ssm",
];

/// Levels that are kept: of the packets that wait, and of what one buffer of a decoder holds, 100 s of it.
const LEVELS_MAX: usize = 5_000;

/// A packet as the payloader made it.
pub(super) struct Packet {
    /// Time of its first sample in the file.
    pub(super) pts: gst::ClockTime,
    pub(super) payload: Vec<u8>,
}

/// Something that a thread of GStreamer's has to tell.
enum Trouble {
    Failed(glib::Error),
    NoAudio,
    TooManyChannels(i32),
}

/// A running pipeline.
pub(super) struct Chain {
    path: PathBuf,
    pipeline: gst::Pipeline,
    sink: gst_app::AppSink,
    troubles: mpsc::Receiver<Trouble>,
    levels: Arc<Mutex<VecDeque<f64>>>,
    reached: Option<gst::ClockTime>,
}

impl Chain {
    /// Builds the pipeline of a file and lets it run.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or an element is not installed. What is in the file shows with the first packet.
    pub(super) fn start(path: &Path, codec: Codec, dtx: bool) -> Result<Self, SendError> {
        check(path)?;
        let (to_owner, troubles) = mpsc::channel();
        let pipeline = gst::Pipeline::new();
        // Without a clock nothing waits for a time.
        pipeline.use_clock(None::<&gst::Clock>);
        report_bus(&pipeline, to_owner.clone());

        let source = make("filesrc")?;
        source.set_property("location", path);
        let decoder = make("decodebin")?;
        decoder.set_property("caps", gst::Caps::new_empty_simple("audio/x-raw"));
        decoder.set_property("expose-all-streams", false);
        let convert = make("audioconvert")?;
        let rate = make("audiorate")?;
        // A file that does not begin at 0 begins all the same.
        rate.set_property("skip-to-first", true);
        let filter = make("capsfilter")?;
        filter.set_property("caps", raw_caps(codec));
        let payloader = payloader(codec, dtx)?;
        let sink = gst_app::AppSink::builder().sync(false).max_buffers(PACKETS_MAX).build();

        let mut tail = vec![convert.clone(), rate, make("audioresample")?, filter.clone()];
        tail.extend(encoder(codec, dtx)?);
        tail.extend([payloader, sink.clone().upcast()]);
        pipeline.add_many([&source, &decoder]).expect("new elements have no parent");
        pipeline.add_many(&tail).expect("new elements have no parent");
        source.link(&decoder).expect("a file source has one pad, and decodebin takes any bytes");
        gst::Element::link_many(&tail).expect("the formats of a codec's elements fit");

        let levels = Arc::new(Mutex::new(VecDeque::new()));
        if dtx {
            measure(&filter, codec, levels.clone());
        }
        connect(&decoder, &convert, to_owner);
        // A failure is told on the bus, with its reason.
        let _ = pipeline.set_state(gst::State::Playing);
        Ok(Self { path: path.to_owned(), pipeline, sink, troubles, levels, reached: None })
    }

    /// Returns the next packet; None at the end of the file. Blocks, for 10 s at most.
    ///
    /// # Errors
    ///
    /// The file holds no audio, is damaged, or gives nothing in time.
    pub(super) fn next_packet(&mut self) -> Result<Option<Packet>, SendError> {
        let until = Instant::now() + PACKET_DEADLINE;
        loop {
            if let Some(sample) = self.sink.try_pull_sample(POLL) {
                return self.packet(&sample).map(Some);
            }
            let is_end = self.sink.is_eos();
            match self.troubles.try_recv() {
                Ok(trouble) => return Err(self.error_of(trouble)),
                Err(_) if is_end && self.reached.is_none() => return Err(self.error_of(Trouble::NoAudio)),
                Err(_) if is_end => return Ok(None),
                Err(_) if Instant::now() >= until => {
                    return Err(SendError::Stalled { path: self.path.clone(), waited: PACKET_DEADLINE });
                }
                Err(_) => (),
            }
        }
    }

    /// Returns the mean square of the next 20 ms of sound that went into the encoder, of full scale squared; with
    /// DTX only.
    pub(super) fn next_level(&self) -> Option<f64> {
        self.levels.lock().unwrap().pop_front()
    }

    fn packet(&mut self, sample: &gst::Sample) -> Result<Packet, SendError> {
        let buffer = sample.buffer().and_then(|buffer| Some((buffer.pts(), buffer.map_readable().ok()?)));
        // A payloader gives every packet its time; one that does not goes on where it was.
        let (pts, bytes) = match &buffer {
            Some((pts, bytes)) => (*pts, bytes.as_slice()),
            None => (None, &[][..]),
        };
        let payload = rtp_types::RtpPacket::parse(bytes)?.payload().to_vec();
        let pts = pts.or(self.reached).unwrap_or(gst::ClockTime::ZERO);
        self.reached = Some(pts);
        Ok(Packet { pts, payload })
    }

    fn error_of(&self, trouble: Trouble) -> SendError {
        let path = self.path.clone();
        match (trouble, self.reached) {
            (Trouble::Failed(cause), Some(at)) => SendError::Decode { path, at: at.into(), cause },
            (Trouble::Failed(cause), None) => SendError::NoAudio { path, cause: Some(cause) },
            (Trouble::NoAudio, _) => SendError::NoAudio { path, cause: None },
            (Trouble::TooManyChannels(found), _) => SendError::TooManyChannels { path, found, max: CHANNELS_MAX },
        }
    }
}

impl Drop for Chain {
    /// Stops the pipeline on a thread of GStreamer's, since a decoder that hangs would keep whoever waits for it.
    fn drop(&mut self) {
        self.pipeline.call_async(|pipeline| {
            let _ = pipeline.set_state(gst::State::Null);
        });
    }
}

/// What the operating system says of a file is told in its own words.
fn check(path: &Path) -> Result<(), SendError> {
    let unreadable = |cause| SendError::Unreadable { path: path.to_owned(), cause };
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(SendError::NotRegular { path: path.to_owned() });
    }
    std::fs::File::open(path).map(drop).map_err(unreadable)
}

fn make(element: &'static str) -> Result<gst::Element, SendError> {
    let package = match element {
        "filesrc" | "capsfilter" => "libgstreamer1.0-0",
        "avenc_g722" => "gstreamer1.0-libav",
        "mulawenc" | "alawenc" | "capssetter" => "gstreamer1.0-plugins-good",
        _ if element.starts_with("rtp") => "gstreamer1.0-plugins-good",
        _ => "gstreamer1.0-plugins-base",
    };
    gst::ElementFactory::make(element).build().map_err(|_| SendError::MissingElement { element, package })
}

/// What a codec's encoder takes.
fn raw_caps(codec: Codec) -> gst::Caps {
    let format = if codec == Codec::L16 { "S16BE" } else { "S16LE" };
    let rate = i32::try_from(codec.sample_hz()).unwrap_or(i32::MAX);
    let caps = gst::Caps::builder("audio/x-raw").field("format", format).field("layout", "interleaved");
    caps.field("rate", rate).field("channels", 1).build()
}

/// Makes a codec's encoder; none where samples are sent as they are.
fn encoder(codec: Codec, dtx: bool) -> Result<Option<gst::Element>, SendError> {
    let name = match codec {
        Codec::Opus => "opusenc",
        Codec::Pcmu => "mulawenc",
        Codec::Pcma => "alawenc",
        Codec::G722 => "avenc_g722",
        Codec::L16 => return Ok(None),
    };
    let encoder = make(name)?;
    if codec == Codec::Opus {
        encoder.set_property("bitrate", 24_000);
        encoder.set_property_from_str("bitrate-type", "vbr");
        encoder.set_property_from_str("audio-type", "voice");
        encoder.set_property_from_str("frame-size", "20");
        encoder.set_property("dtx", dtx);
    }
    Ok(Some(encoder))
}

fn payloader(codec: Codec, dtx: bool) -> Result<gst::Element, SendError> {
    let payloader = make(match codec {
        Codec::Opus => "rtpopuspay",
        Codec::Pcmu => "rtppcmupay",
        Codec::Pcma => "rtppcmapay",
        Codec::G722 => "rtpg722pay",
        Codec::L16 => "rtpL16pay",
    })?;
    match codec {
        Codec::Opus => payloader.set_property("dtx", dtx),
        _ => {
            payloader.set_property("min-ptime", 20_000_000i64);
            payloader.set_property("max-ptime", 20_000_000i64);
        }
    }
    Ok(payloader)
}

/// Notes the level of every 20 ms that go into the encoder.
fn measure(filter: &gst::Element, codec: Codec, levels: Arc<Mutex<VecDeque<f64>>>) {
    let meter = Mutex::new(Levels::new(codec));
    let pad = filter.static_pad("src").expect("a capsfilter has one src pad");
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        if let Some(bytes) = info.buffer().and_then(|buffer| buffer.map_readable().ok()) {
            let measured = meter.lock().unwrap().measure(&bytes);
            let mut levels = levels.lock().unwrap();
            levels.extend(measured);
            let excess = levels.len().saturating_sub(LEVELS_MAX);
            levels.drain(..excess);
        }
        gst::PadProbeReturn::Ok
    });
}

/// Links the first audio stream that is decoded, and tells where there is none.
fn connect(decoder: &gst::Element, convert: &gst::Element, to_owner: mpsc::Sender<Trouble>) {
    decoder.connect("autoplug-continue", false, |values| {
        let caps = values.get(2).and_then(|caps| caps.get::<gst::Caps>().ok());
        let name = caps.as_ref().and_then(|caps| caps.structure(0)).map(|structure| structure.name().to_string());
        Some((!name.is_some_and(|name| REFERENCES.contains(&name.as_str()))).to_value())
    });
    let convert = convert.downgrade();
    let to_owner = Mutex::new(to_owner);
    let weak = convert.clone();
    let tell = move |trouble| {
        // The owner may have gone: then nobody needs to know.
        let _ = to_owner.lock().unwrap().send(trouble);
    };
    let tell = Arc::new(tell);
    let tell_at_end = tell.clone();
    decoder.connect_pad_added(move |_, pad| {
        let Some(convert) = convert.upgrade() else { return };
        let Some(sink) = convert.static_pad("sink").filter(|sink| !sink.is_linked()) else { return };
        let channels = pad.current_caps().and_then(|caps| caps.structure(0)?.get::<i32>("channels").ok());
        match channels {
            Some(found) if found > CHANNELS_MAX => tell(Trouble::TooManyChannels(found)),
            Some(found) if found > 2 => {
                let _ = mix_down(pad, &convert, found);
            }
            // Other kinds of streams do not fit, and stay unlinked.
            _ => {
                let _ = pad.link(&sink);
            }
        }
    });
    decoder.connect("no-more-pads", false, move |_| {
        let is_linked =
            weak.upgrade().and_then(|convert| convert.static_pad("sink")).is_some_and(|pad| pad.is_linked());
        if !is_linked {
            tell_at_end(Trouble::NoAudio);
        }
        None
    });
}

/// Mixes so many channels into one in equal parts, wherever they have their places: `audioconvert` 1.22 refuses those
/// that have none, unless that is said.
fn mix_down(pad: &gst::Pad, convert: &gst::Element, channels: i32) -> Option<()> {
    let share = gst::Array::new((0..channels).map(|_| 1.0 / channels as f32));
    convert.set_property("mix-matrix", gst::Array::new([share]));
    let placeless = make("capssetter").ok()?;
    let caps = gst::Caps::builder("audio/x-raw").field("channel-mask", gst::Bitmask::new(0));
    placeless.set_property("caps", caps.build());
    let pipeline = convert.parent()?.downcast::<gst::Bin>().ok()?;
    pipeline.add(&placeless).ok()?;
    placeless.sync_state_with_parent().ok()?;
    placeless.link(convert).ok()?;
    pad.link(&placeless.static_pad("sink")?).ok()?;
    Some(())
}

/// Tells errors as they are posted. Nothing is left on the bus.
fn report_bus(pipeline: &gst::Pipeline, to_owner: mpsc::Sender<Trouble>) {
    let bus = pipeline.bus().expect("a pipeline has a bus");
    bus.set_sync_handler(move |_, message| {
        if let gst::MessageView::Error(error) = message.view() {
            let _ = to_owner.send(Trouble::Failed(error.error()));
        }
        gst::BusSyncReply::Drop
    });
}
