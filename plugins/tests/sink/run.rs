//! A harness around `reelsink` or a launch line that ends in it, the messages it posts, and media to feed it.

use std::path::Path;
use std::path::PathBuf;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;

use gst::prelude::*;
use gst_check::Harness;
use gstreel::messages;

pub(crate) const MONO_16K: &str = "audio/x-raw,format=S16LE,layout=interleaved,rate=16000,channels=1";
/// The encoder of the shipped graph.
pub(crate) const LAME_48: &str = "lamemp3enc target=bitrate bitrate=48 cbr=true encoding-engine-quality=fast";

/// Samples per channel of a pushed buffer: one tick of the engine at 16 kHz.
const TICK: usize = 1_600;

pub(crate) fn init() {
    gst::init().expect("GStreamer starts");
    gstreel::plugin_register_static().expect("the plugin registers");
}

/// A directory of the test's own, gone with it.
pub(crate) struct Dir(PathBuf);

impl Dir {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("sink-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&path).expect("a directory for the test");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("a path of text").to_owned()
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// `… ! reelsink` under test.
pub(crate) struct Run {
    pub(crate) harness: Harness,
    pub(crate) sink: gst::Element,
    bus: gst::Bus,
}

impl Run {
    /// Starts `elements` in front of a sink with these properties, e.g. `location=a.wav`.
    pub(crate) fn new(elements: &str, properties: &str) -> Self {
        init();
        let link = if elements.is_empty() { "" } else { " ! " };
        let bin =
            gst::parse::bin_from_description(&format!("{elements}{link}reelsink name=under-test {properties}"), true);
        let bin = bin.expect("a launch line that can be parsed");
        // The harness plays what it gets at once: who wants the first message must listen before.
        let bus = gst::Bus::new();
        bin.set_bus(Some(&bus));
        let sink = bin.by_name("under-test").expect("the sink is in the line");
        Self { harness: Harness::with_element(&bin, Some("sink"), None), sink, bus }
    }

    /// Starts a sink to which samples with these caps come, through `elements`.
    pub(crate) fn with_caps(elements: &str, location: &str, caps: &str) -> Self {
        let mut run = Self::new(elements, &format!("location={location}"));
        run.harness.set_src_caps_str(caps);
        run
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<gst::FlowSuccess, gst::FlowError> {
        self.harness.push(gst::Buffer::from_slice(bytes.to_vec()))
    }

    /// Pushes interleaved samples in buffers of a tick, with their time-stamps.
    pub(crate) fn push_samples(&mut self, samples: &[i16], rate: u32, channels: usize) {
        for (index, part) in samples.chunks(TICK * channels).enumerate() {
            let mut buffer = gst::Buffer::from_slice(to_bytes(part));
            let time = |samples: usize| gst::ClockTime::from_nseconds(samples as u64 * 1_000_000_000 / u64::from(rate));
            let at = index * TICK;
            let fields = buffer.get_mut().expect("a buffer of our own");
            fields.set_pts(time(at));
            fields.set_duration(time(at + part.len() / channels) - time(at));
            self.harness.push(buffer).expect("the sink takes it");
        }
    }

    /// Ends the chunk as `reelmeta` does, and returns what `reel-file` says.
    pub(crate) fn end(&mut self, samples: u64) -> Option<messages::File> {
        self.harness.push_event(messages::ChunkEnd { samples }.event());
        self.harness.push_event(gst::event::Eos::new());
        self.messages().0.pop()
    }

    /// Returns the files and errors told since the last call.
    pub(crate) fn messages(&self) -> (Vec<messages::File>, Vec<gst::glib::Error>) {
        let (mut files, mut errors) = (Vec::new(), Vec::new());
        while let Some(message) = self.bus.pop() {
            match message.view() {
                gst::MessageView::Error(error) => errors.push(error.error()),
                gst::MessageView::Element(element) => {
                    let structure = element.structure().filter(|s| s.name() == messages::File::NAME);
                    files.extend(structure.map(|s| messages::File::read(s).expect("a readable reel-file")));
                }
                _ => {}
            }
        }
        (files, errors)
    }

    /// Returns what the sink answers to `reel-room`, asked from upstream.
    pub(crate) fn room(&self, max_size: u64) -> Option<messages::Room> {
        let mut query = messages::Room::query(max_size);
        let pad = self.harness.srcpad().expect("the harness pushes");
        pad.peer_query(&mut query).then(|| messages::Room::read(query.structure().expect("a structure"))).flatten()
    }
}

pub(crate) fn to_bytes(samples: &[i16]) -> Vec<u8> {
    samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}

/// Returns noise with most of its energy in the lowest octaves, as speech has; the same each time.
pub(crate) fn voice(samples: usize, channels: usize) -> Vec<i16> {
    let mut seed = 1u32;
    let mut level = 0;
    let noise = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        level += ((seed >> 16) as i32 - 32_768 - level) / 4;
        level as i16
    });
    noise.take(samples * channels).collect()
}
