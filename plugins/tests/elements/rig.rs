//! An element under test: harnesses that push into it, what comes out of it in its order, what it says on the bus.

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use gst::prelude::*;
use gst_check::Harness;

/// Samples per second of most tests: as in the shipped graphs.
pub(crate) const RATE: u32 = 16_000;
pub(crate) const MONO: &str = "audio/x-raw,format=S16LE,layout=interleaved,rate=16000,channels=1";

/// What takes longer hangs.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) fn init() {
    gst::init().expect("GStreamer starts");
    gstreel::plugin_register_static().expect("the plugin registers");
}

pub(crate) fn ms(ms: u64) -> gst::ClockTime {
    gst::ClockTime::from_mseconds(ms)
}

/// Returns the time of a position, rounded down.
pub(crate) fn time(position: u64, rate: u32) -> gst::ClockTime {
    gst::ClockTime::from_nseconds((u128::from(position) * 1_000_000_000 / u128::from(rate)) as u64)
}

/// Returns a buffer of interleaved samples that begins at `position`.
pub(crate) fn buffer(samples: &[i16], position: u64, rate: u32, channels: u32) -> gst::Buffer {
    let mut buffer = gst::Buffer::from_slice(samples.iter().flat_map(|s| s.to_le_bytes()).collect::<Vec<u8>>());
    let fields = buffer.get_mut().expect("a buffer of our own");
    fields.set_pts(time(position, rate));
    let end = position + samples.len() as u64 / u64::from(channels);
    fields.set_duration(time(end, rate) - time(position, rate));
    buffer
}

pub(crate) fn samples(buffer: &gst::BufferRef) -> Vec<i16> {
    let map = buffer.map_readable().expect("a readable buffer");
    map.chunks_exact(2).map(|s| i16::from_le_bytes([s[0], s[1]])).collect()
}

/// Something that came out of a pad.
#[derive(Debug, Clone)]
pub(crate) enum Item {
    Event(gst::Event),
    Buffer(gst::Buffer),
}

impl Item {
    /// A short name: the event's type, a custom event's structure, `buffer`.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Event(event) => {
                let custom =
                    event.structure().filter(|s| s.name().starts_with("reel-") || s.name().starts_with("test"));
                custom.map_or_else(|| event.type_().name().to_string(), |s| s.name().to_string())
            }
            Self::Buffer(_) => "buffer".to_owned(),
        }
    }
}

/// An element, not playing yet.
pub(crate) struct Rig {
    pub(crate) element: gst::Element,
    bus: gst::Bus,
}

impl Rig {
    /// Makes an element with properties in the syntax of `gst-launch-1.0`.
    #[track_caller]
    pub(crate) fn new(factory: &str, properties: &[(&str, &str)]) -> Self {
        init();
        let element = gst::ElementFactory::make(factory).build().expect("it is registered");
        properties.iter().for_each(|(name, value)| element.set_property_from_str(name, value));
        let bus = gst::Bus::new();
        element.set_bus(Some(&bus));
        Self { element, bus }
    }

    /// Requests a sink pad and starts the element; nothing but stream-start has come by it.
    pub(crate) fn input(&self, pad: &str) -> Harness {
        let mut harness = Harness::with_element(&self.element, Some(pad), None);
        harness.play();
        harness
    }

    /// As [`Self::input`], with mono caps and a segment from zero.
    pub(crate) fn mono(&self, pad: &str) -> Harness {
        let mut harness = self.input(pad);
        harness.set_src_caps_str(MONO);
        harness
    }

    /// Links a timeline, whose segment begins at zero.
    pub(crate) fn timeline(&self) -> Harness {
        let mut harness = self.input("timeline");
        harness.push_event(segment());
        harness
    }

    /// Listens to a src pad.
    pub(crate) fn output(&self, pad: &str) -> Output {
        let harness = Harness::with_element(&self.element, None, Some(pad));
        Output::new(harness, &self.element.static_pad(pad).expect("the element has the pad"))
    }

    pub(crate) fn stat(&self, field: &str) -> u64 {
        let stats = self.element.property::<gst::Structure>("stats");
        stats.get::<u64>(field).or_else(|_| stats.get::<u32>(field).map(u64::from)).expect("a counter of this name")
    }

    /// Returns the structures of the element messages since the last call, errors and EOS by their own names.
    pub(crate) fn said(&self) -> Vec<gst::Structure> {
        let mut said = Vec::new();
        while let Some(message) = self.bus.pop() {
            match message.view() {
                gst::MessageView::Element(element) => said.extend(element.structure().map(|s| s.to_owned())),
                gst::MessageView::Error(error) => {
                    said.push(gst::Structure::builder("error").field("text", error.error().message()).build());
                }
                gst::MessageView::Eos(_) => said.push(gst::Structure::new_empty("eos")),
                _ => (),
            }
        }
        said
    }

    /// Returns the texts of the errors posted since the last call.
    pub(crate) fn errors(&self) -> Vec<String> {
        let texts = self.said().into_iter().filter(|s| s.name() == "error");
        texts.map(|s| s.get::<String>("text").expect("an error has a text")).collect()
    }

    #[track_caller]
    pub(crate) fn set_state(&self, state: gst::State) {
        assert!(self.element.set_state(state).is_ok(), "to {state:?}");
    }

    /// Stops, lets go of the element and asserts that nobody else holds it.
    #[track_caller]
    pub(crate) fn drop_all(self, inputs: Vec<Harness>, outputs: Vec<Output>) {
        self.set_state(gst::State::Null);
        drop((inputs, outputs));
        // Messages that nobody has read hold the element, which holds the bus.
        self.element.set_bus(None);
        let weak = self.element.downgrade();
        drop(self);
        assert!(weak.upgrade().is_none(), "somebody still holds the element");
    }
}

/// What comes out of a src pad.
pub(crate) struct Output {
    pub(crate) harness: Harness,
    items: Arc<Mutex<Vec<Item>>>,
}

impl Output {
    fn new(harness: Harness, pad: &gst::Pad) -> Self {
        let items = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&items);
        let what = gst::PadProbeType::DATA_DOWNSTREAM | gst::PadProbeType::EVENT_FLUSH;
        pad.add_probe(what, move |_, info| {
            match &info.data {
                Some(gst::PadProbeData::Buffer(buffer)) => log.lock().unwrap().push(Item::Buffer(buffer.clone())),
                Some(gst::PadProbeData::BufferList(list)) => {
                    log.lock().unwrap().extend(list.iter_owned().map(Item::Buffer));
                }
                Some(gst::PadProbeData::Event(event)) => log.lock().unwrap().push(Item::Event(event.clone())),
                _ => (),
            }
            gst::PadProbeReturn::Ok
        });
        Self { harness, items }
    }

    /// Takes all that has come out since the last call.
    pub(crate) fn take(&self) -> Vec<Item> {
        std::mem::take(&mut self.items.lock().unwrap())
    }

    /// Takes the names of all that has come out since the last call.
    pub(crate) fn names(&self) -> Vec<String> {
        self.take().iter().map(Item::name).collect()
    }

    /// Takes the buffers since the last call: position of the first, and all samples, which must be contiguous.
    #[track_caller]
    pub(crate) fn media(&self, rate: u32, channels: u32) -> (Option<u64>, Vec<i16>) {
        let (mut first, mut all) = (None, Vec::new());
        for item in self.take() {
            let Item::Buffer(buffer) = item else { continue };
            let pts = buffer.pts().expect("a time-stamp");
            let position = (u128::from(pts.nseconds()) * u128::from(rate)).div_ceil(1_000_000_000) as u64;
            let n = all.len() as u64 / u64::from(channels);
            assert_eq!(*first.get_or_insert(position) + n, position, "a hole or an overlap before {pts}");
            all.extend(samples(&buffer));
            let end = position + buffer.size() as u64 / 2 / u64::from(channels);
            assert_eq!((pts, buffer.duration()), (time(position, rate), Some(time(end, rate) - time(position, rate))));
        }
        (first, all)
    }

    /// Takes the mono samples since the last call.
    #[track_caller]
    pub(crate) fn mono(&self) -> Vec<i16> {
        self.media(RATE, 1).1
    }
}

/// Begins the stream of an input anew, as for a second run; what its pad remembers of the first is replaced.
pub(crate) fn begin_again(input: &mut Harness, caps: Option<&str>) {
    input.push_event(gst::event::StreamStart::new("again"));
    if let Some(caps) = caps {
        input.push_event(gst::event::Caps::new(&caps.parse().expect("caps")));
    }
    input.push_event(segment());
}

pub(crate) fn segment() -> gst::Event {
    gst::event::Segment::new(&gst::FormattedSegment::<gst::ClockTime>::new())
}

/// Returns a segment from `start` on.
pub(crate) fn segment_from(start: gst::ClockTime) -> gst::Event {
    let mut segment = gst::FormattedSegment::<gst::ClockTime>::new();
    segment.set_start(start);
    segment.set_time(start);
    gst::event::Segment::new(&segment)
}

pub(crate) fn gap(start: gst::ClockTime, duration: gst::ClockTime) -> gst::Event {
    init();
    gst::event::Gap::builder(start).duration(duration).build()
}

/// Sends GAP on a timeline: all before `end` samples has been pushed.
pub(crate) fn advance(timeline: &mut Harness, end: u64) -> bool {
    timeline.push_event(gap(gst::ClockTime::ZERO, time(end, RATE)))
}

/// Flushes as a seek would, and goes on with a segment from zero.
pub(crate) fn flush(input: &mut Harness) {
    input.push_event(gst::event::FlushStart::new());
    input.push_event(gst::event::FlushStop::new(true));
    input.push_event(segment());
}

/// Something on a thread of its own.
pub(crate) struct Job<T>(mpsc::Receiver<T>);

impl<T: Send + 'static> Job<T> {
    #[expect(clippy::disallowed_methods, reason = "elements have no threads, who pushes into them has")]
    pub(crate) fn new(work: impl FnOnce() -> T + Send + 'static) -> Self {
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || sender.send(work()));
        Self(receiver)
    }

    /// Returns what came of it; panics where it does not end.
    #[track_caller]
    pub(crate) fn wait(self) -> T {
        self.wait_here().expect("it ends in time")
    }

    /// Returns what came of it; None where it does not end, for where nobody may panic.
    pub(crate) fn wait_here(self) -> Option<T> {
        self.0.recv_timeout(DEADLINE).ok()
    }
}
