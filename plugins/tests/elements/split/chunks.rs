//! A splitter whose branches write down what they get.

use std::sync::{Arc, Mutex};

use gst::glib;
use gst::prelude::*;
use gst_check::Harness;

use crate::rig::{Item, RATE, Rig, buffer};

/// A branch that has no thread and takes all at once.
pub(crate) const PLAIN: &str = "identity ! reelmeta ! fakesink sync=false async=false";

/// What one branch got.
#[derive(Debug, Default, Clone)]
pub(crate) struct Chunk {
    pub(crate) index: u32,
    pub(crate) items: Vec<Item>,
    pub(crate) bin: glib::WeakRef<gst::Element>,
}

impl Chunk {
    pub(crate) fn names(&self) -> Vec<String> {
        self.items.iter().map(Item::name).collect()
    }

    pub(crate) fn samples(&self) -> Vec<i16> {
        let of = |item: &Item| match item {
            Item::Buffer(buffer) => crate::rig::samples(buffer),
            Item::Event(_) => Vec::new(),
        };
        self.items.iter().flat_map(of).collect()
    }

    pub(crate) fn first_pts(&self) -> Option<gst::ClockTime> {
        self.items.iter().find_map(|item| match item {
            Item::Buffer(buffer) => buffer.pts(),
            Item::Event(_) => None,
        })
    }
}

/// A splitter and what its branches got, in the order in which they were built.
pub(crate) struct Splitter {
    pub(crate) rig: Rig,
    chunks: Arc<Mutex<Vec<Chunk>>>,
}

impl Splitter {
    /// Branches come from `description`, by the signal.
    pub(crate) fn new(properties: &[(&str, &str)], description: &'static str) -> Self {
        Self::with(properties, move |_| gst::parse::bin_from_description(description, true).ok())
    }

    /// Branches come from `build`, by the signal.
    pub(crate) fn with(
        properties: &[(&str, &str)],
        build: impl Fn(u32) -> Option<gst::Bin> + Send + Sync + 'static,
    ) -> Self {
        let rig = Rig::new("reelsplit", properties);
        let chunks = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&chunks);
        rig.element.connect("make-chunk", false, move |values| {
            let index = values[1].get::<u32>().expect("an index");
            let bin = build(index);
            if let Some(bin) = &bin {
                watch(bin, index, &log);
            }
            Some(bin.map(|bin| bin.upcast::<gst::Element>()).to_value())
        });
        Self { rig, chunks }
    }

    /// All that each branch got so far.
    pub(crate) fn chunks(&self) -> Vec<Chunk> {
        self.chunks.lock().unwrap().clone()
    }

    /// The branches that are in the splitter.
    pub(crate) fn n_branches(&self) -> usize {
        self.rig.element.downcast_ref::<gst::Bin>().expect("it is a bin").children().len()
    }

    /// Asserts how many samples each chunk has, and that all together are what `push` has pushed so far.
    #[track_caller]
    pub(crate) fn check(&self, expected: &[usize]) {
        let chunks = self.chunks();
        assert_eq!(chunks.iter().map(|chunk| chunk.samples().len()).collect::<Vec<_>>(), expected);
        assert_eq!(
            chunks.iter().map(|chunk| chunk.index).collect::<Vec<_>>(),
            Vec::from_iter(0..expected.len() as u32)
        );
        let all: Vec<i16> = chunks.iter().flat_map(Chunk::samples).collect();
        assert!(all == count(0, all.len()), "the joined chunks are what went in");
    }
}

fn watch(bin: &gst::Bin, index: u32, log: &Arc<Mutex<Vec<Chunk>>>) {
    let place = {
        let mut chunks = log.lock().unwrap();
        chunks.push(Chunk { index, items: Vec::new(), bin: bin.upcast_ref::<gst::Element>().downgrade() });
        chunks.len() - 1
    };
    let Some(pad) = bin.sink_pads().into_iter().next() else { return };
    let log = Arc::clone(log);
    pad.add_probe(gst::PadProbeType::DATA_DOWNSTREAM | gst::PadProbeType::EVENT_FLUSH, move |_, info| {
        let item = match &info.data {
            Some(gst::PadProbeData::Buffer(buffer)) => Some(Item::Buffer(buffer.clone())),
            Some(gst::PadProbeData::Event(event)) => Some(Item::Event(event.clone())),
            _ => None,
        };
        log.lock().unwrap()[place].items.extend(item);
        gst::PadProbeReturn::Ok
    });
}

/// Samples that tell their position.
pub(crate) fn count(from: u64, n: usize) -> Vec<i16> {
    (from..from + n as u64).map(|position| (position % 30_000) as i16).collect()
}

/// Pushes `n` samples that tell their position, from `position` on.
pub(crate) fn push(input: &mut Harness, n: usize, position: u64) -> Result<gst::FlowSuccess, gst::FlowError> {
    input.push(buffer(&count(position, n), position, RATE, 1))
}

/// Pushes samples up to `until` in buffers of `n`.
#[track_caller]
pub(crate) fn push_all(input: &mut Harness, until: usize, n: usize) {
    for position in (0..until).step_by(n) {
        assert_eq!(push(input, n.min(until - position), position as u64), Ok(gst::FlowSuccess::Ok));
    }
}
