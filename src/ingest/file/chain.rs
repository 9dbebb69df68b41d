//! The pipeline of one file: its source, its sink, its end; what lies between is grown by [`Grower`].
//!
//! Must not know frames and counts; it tells what happened by [`Report`], in the order in which it happened.

use crate::ingest::file::error::FileError;
use crate::ingest::file::grow::Grower;
use crate::ingest::file::report::Report;
use crate::ingest::file::track_caps::track_caps;
use gst::prelude::*;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::sync::mpsc;

/// Buffers that wait in memory for whoever pulls: more than one, so that the two threads seldom wait for each other.
pub const BUFFERS_MAX: u32 = 16;

/// A running pipeline, its end, and what it tells.
pub(super) struct Chain {
    pub(super) pipeline: gst::Pipeline,
    pub(super) sink: gst_app::AppSink,
    pub(super) reports: mpsc::Receiver<Report>,
    reached: Arc<AtomicU64>,
    grower: Arc<Grower>,
}

impl Chain {
    /// Builds the pipeline and lets it run.
    pub(super) fn start(path: &Path) -> Result<Self, FileError> {
        let (to_owner, reports) = mpsc::channel();
        let pipeline = gst::Pipeline::new();
        // Without a clock nothing waits for a time.
        pipeline.use_clock(None::<&gst::Clock>);
        report_bus(&pipeline, to_owner.clone());

        let source = make("filesrc", "libgstreamer1.0-0")?;
        source.set_property("location", path);
        let typefind = make("typefind", "libgstreamer1.0-0")?;
        let sink = make_sink(to_owner.clone());
        // First the sink alone: one that gets samples while it begins to play goes on to take them with its preroll
        // lock held, and whoever lets it play waits for that lock, for ever when its queue is full.
        pipeline.add(&sink).expect("a new element has no parent");
        let _ = pipeline.set_state(gst::State::Playing);
        pipeline.add_many([&source, &typefind]).expect("new elements have no parent");
        source.link(&typefind).expect("a file source has one pad, and typefind takes any bytes");

        let reached = Arc::new(AtomicU64::new(0));
        let grower = Grower::new(&pipeline, &sink, to_owner, reached.clone());
        let growing = Arc::clone(&grower);
        typefind.connect("have-type", false, move |values| {
            let typefind = values[0].get::<gst::Element>().expect("a signal begins with its element");
            let caps = values[2].get::<gst::Caps>().expect("have-type carries caps");
            growing.begin(&typefind.static_pad("src").expect("typefind has one src pad"), &caps);
            None
        });
        // A failure is told on the bus, with its reason.
        let _ = typefind.sync_state_with_parent().and_then(|()| source.sync_state_with_parent());
        Ok(Self { pipeline, sink, reports, reached, grower })
    }

    /// Returns the end of what any stream of the file has brought so far, in the file's own time.
    pub(super) fn reached(&self) -> gst::ClockTime {
        gst::ClockTime::from_nseconds(self.reached.load(Ordering::Relaxed))
    }

    /// Returns what the file (or an estimate of its bit rate) says about its length.
    pub(super) fn duration(&self) -> Option<gst::ClockTime> {
        self.sink.query_duration::<gst::ClockTime>()
    }
}

impl Drop for Chain {
    /// Stops the pipeline on a thread of GStreamer's, since a decoder that hangs would keep whoever waits for it.
    fn drop(&mut self) {
        let grower = Arc::clone(&self.grower);
        self.pipeline.call_async(move |pipeline| {
            grower.end();
            let _ = pipeline.set_state(gst::State::Null);
            // When it has found its chains, oggdemux 1.22 starts its task again, also where that was stopped meanwhile:
            // nobody would join the new one, which then frees the pad that it belongs to.
            for pad in pipeline.children().iter().flat_map(|element| element.sink_pads()) {
                let _ = pad.stop_task();
            }
        });
    }
}

fn make(factory: &'static str, package: &'static str) -> Result<gst::Element, FileError> {
    gst::ElementFactory::make(factory).build().map_err(|_| FileError::MissingElement { element: factory, package })
}

fn make_sink(to_owner: mpsc::Sender<Report>) -> gst_app::AppSink {
    let to_owner_at_end = to_owner.clone();
    let callbacks = gst_app::AppSinkCallbacks::builder()
        .new_sample(move |_| match to_owner.send(Report::Sample) {
            Ok(()) => Ok(gst::FlowSuccess::Ok),
            Err(_) => Err(gst::FlowError::Flushing),
        })
        .eos(move |_| {
            let _ = to_owner_at_end.send(Report::End);
        })
        .build();
    let sink = gst_app::AppSink::builder().sync(false).caps(&track_caps()).max_buffers(BUFFERS_MAX).build();
    sink.set_property("async", false);
    sink.set_callbacks(callbacks);
    sink
}

/// Tells errors as they are posted. Nothing is left on the bus.
fn report_bus(pipeline: &gst::Pipeline, to_owner: mpsc::Sender<Report>) {
    let bus = pipeline.bus().expect("a pipeline has a bus");
    bus.set_sync_handler(move |_, message| {
        let report = match message.view() {
            gst::MessageView::Error(error) => Some(Report::Failed {
                element: message.src().map(|src| src.name().to_string()).unwrap_or_default(),
                source: error.error(),
            }),
            gst::MessageView::Element(element) => element
                .structure()
                .filter(|s| s.has_name("missing-plugin"))
                .and_then(|s| s.get::<String>("name").ok())
                .map(|description| Report::Missing { description }),
            _ => None,
        };
        if let Some(report) = report {
            let _ = to_owner.send(report);
        }
        gst::BusSyncReply::Drop
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::time::Duration;
    use std::time::Instant;

    /// Writes a second of sound as Ogg with Vorbis, which is demuxed and then decoded.
    fn write_ogg(path: &Path) {
        let pipeline = gst::Pipeline::new();
        let names = ["audiotestsrc", "vorbisenc", "oggmux", "filesink"];
        let elements = names.map(|name| make(name, "of the tests").expect("it is installed"));
        elements[0].set_property("num-buffers", 50);
        elements[3].set_property("location", path);
        pipeline.add_many(&elements).expect("new elements have no parent");
        gst::Element::link_many(&elements).expect("each takes what the one before it gives");
        pipeline.set_state(gst::State::Playing).expect("it starts");
        let bus = pipeline.bus().expect("it has one");
        assert!(bus.timed_pop_filtered(gst::ClockTime::from_seconds(10), &[gst::MessageType::Eos]).is_some());
        pipeline.set_state(gst::State::Null).expect("it stops");
    }

    #[test]
    fn a_chain_that_is_dropped_while_it_grows_stops_whole() {
        gst::init().expect("GStreamer is there");
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("call.ogg");
        write_ogg(&path);
        let mut dropped = Vec::new();
        // Within 3 ms all has grown.
        for round in 0..1_000_u64 {
            let chain = Chain::start(&path).expect("it starts");
            let until = Instant::now() + Duration::from_micros(round * 3);
            while Instant::now() < until {
                std::hint::spin_loop();
            }
            dropped.push(chain.pipeline.downgrade());
        }
        let deadline = Instant::now() + Duration::from_secs(20);
        while dropped.iter().any(|pipeline| pipeline.upgrade().is_some()) {
            assert!(Instant::now() < deadline, "one is still there");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
