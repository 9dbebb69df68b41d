//! What lies between a file and its sink: grown from what the bytes turn out to be, on the streaming thread.
//!
//! Not one `decodebin` for everything, though it would be shorter: behind a demuxer that one puts a `multiqueue` with
//! a thread per stream, parses the video that nobody wants, orders streams by its own taste, and opens what an HLS
//! playlist names. Here `decodebin` gets a single audio stream and adds parser and decoder only.

use crate::ingest::file::report::Report;
use crate::ingest::file::track_caps::{CHANNELS_MAX, RAW_RATES, track_caps};
use gst::glib;
use gst::prelude::*;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::RwLock;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::sync::mpsc;

/// Adds elements where the stream goes on, on the streaming thread.
pub(super) struct Grower {
    pipeline: glib::WeakRef<gst::Pipeline>,
    sink: gst_app::AppSink,
    to_owner: mpsc::Sender<Report>,
    /// The stream that is the track. Weak, since probes on pads hold the grower. Only the streaming thread takes this
    /// lock.
    current: Mutex<Option<glib::WeakRef<gst::Pad>>>,
    /// End of what any stream has brought, in nanoseconds of the file's own time.
    reached: Arc<AtomicU64>,
    /// Nothing is added any more. Read for as long as something is: the pipeline must not be stopped meanwhile.
    is_over: RwLock<bool>,
}

impl Grower {
    /// Makes one for a pipeline that it does not keep alive.
    pub(super) fn new(
        pipeline: &gst::Pipeline,
        sink: &gst_app::AppSink,
        to_owner: mpsc::Sender<Report>,
        reached: Arc<AtomicU64>,
    ) -> Arc<Self> {
        let (pipeline, sink) = (pipeline.downgrade(), sink.clone());
        Arc::new(Self { pipeline, sink, to_owner, current: Mutex::new(None), reached, is_over: RwLock::new(false) })
    }

    /// Lets nothing grow any more; waits for what is being added.
    ///
    /// Before the pipeline is stopped: an element that is added while it is would be stopped by its own streaming
    /// thread, which waits for itself, or go on to play in a pipeline that is gone.
    pub(super) fn end(&self) {
        *self.is_over.write().unwrap() = true;
    }

    fn tell(&self, report: Report) {
        // The owner may have gone: then nobody needs to know.
        let _ = self.to_owner.send(report);
    }

    /// Goes on from the bytes of the file.
    pub(super) fn begin(self: &Arc<Self>, pad: &gst::Pad, caps: &gst::Caps) {
        self.tell(Report::Kind(caps.clone()));
        self.tell_end(pad);
        if !self.grow(pad, caps) {
            self.tell(Report::DeadEnd(caps.clone()));
        }
    }

    /// Tells when the end of the file has gone through everything behind a pad: some demuxers (AU, AIFF) keep silent
    /// when it comes before they have found a stream.
    fn tell_end(self: &Arc<Self>, pad: &gst::Pad) {
        let grower = self.clone();
        pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |pad, info| match info.event() {
            Some(event) if event.type_() == gst::EventType::Eos => {
                // Sent on from here, to know when it has arrived.
                if let Some(peer) = pad.peer() {
                    peer.send_event(event.clone());
                }
                grower.tell(Report::InputEnd);
                gst::PadProbeReturn::Handled
            }
            _ => gst::PadProbeReturn::Ok,
        });
    }

    /// Goes on from one of several streams.
    fn grow_branch(self: &Arc<Self>, pad: &gst::Pad, caps: &gst::Caps) {
        if !self.grow(pad, caps) {
            self.tell(Report::Other);
        }
    }

    /// Goes on from a stream; returns whether anything can.
    fn grow(self: &Arc<Self>, pad: &gst::Pad, caps: &gst::Caps) -> bool {
        if let Some(demuxer) = find_demuxer(caps) {
            return self.demux(pad, &demuxer);
        }
        if !is_audio(caps) {
            return false;
        }
        if self.claim(pad) {
            self.tell(Report::Audio);
            match is_raw(caps) || caps.is_subset(&track_caps()) {
                true => self.deliver(pad, caps),
                false => self.decode(pad),
            }
        }
        true
    }

    /// Makes this stream the track unless there is one; returns whether it did.
    fn claim(&self, pad: &gst::Pad) -> bool {
        let mut current = self.current.lock().unwrap();
        let is_first = current.is_none();
        current.get_or_insert_with(|| pad.downgrade());
        is_first
    }

    fn demux(self: &Arc<Self>, pad: &gst::Pad, factory: &gst::ElementFactory) -> bool {
        let Ok(demuxer) = factory.create().build() else { return false };
        let knows_all_pads = Arc::new(AtomicBool::new(false));
        let is_late = knows_all_pads.clone();
        let grower = self.clone();
        demuxer.connect_pad_added(move |_, pad| match pad.direction() {
            gst::PadDirection::Src if is_late.load(Ordering::Relaxed) => grower.succeed(pad),
            gst::PadDirection::Src => grower.watch(pad),
            _ => {}
        });
        demuxer.connect_no_more_pads(move |_| knows_all_pads.store(true, Ordering::Relaxed));
        for pad in demuxer.src_pads() {
            self.watch(&pad);
        }
        // When it pulls, wavparse 1.22 walks the chunks up to the file's last byte before it begins. Where fewer than
        // eight bytes are left there (the pad byte of an odd length, a torn chunk), it ends without a sample and
        // without an error. When it is pushed to, it begins at the first sample.
        if factory.name() == "wavparse" {
            push_only(pad);
        }
        self.plug(pad, &demuxer)
    }

    /// Lets a stream that comes after all others go on as the track, if it is of the same kind. Ogg files may hold
    /// several, one behind the other: `oggdemux` adds the next before it ends the last, all of which has been pushed.
    fn succeed(&self, pad: &gst::Pad) {
        let last = self.current.lock().unwrap().clone().and_then(|last| last.upgrade());
        let Some(last) = last.filter(|last| kind(last).is_some() && kind(last) == kind(pad)) else { return };
        let Some(next) = last.peer() else { return };
        if last.unlink(&next).is_ok() && pad.link(&next).is_ok() {
            self.measure(pad);
            *self.current.lock().unwrap() = Some(pad.downgrade());
        }
    }

    /// Notes how far a pad's stream comes, even if nobody takes it.
    fn measure(&self, pad: &gst::Pad) {
        let reached = self.reached.clone();
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            if let Some(buffer) = info.buffer() {
                let end = buffer.pts().map(|pts| pts.saturating_add(buffer.duration().unwrap_or_default()));
                reached.fetch_max(end.unwrap_or_default().nseconds(), Ordering::Relaxed);
            }
            gst::PadProbeReturn::Ok
        });
    }

    /// Goes on from a pad as soon as its caps are known.
    fn watch(self: &Arc<Self>, pad: &gst::Pad) {
        self.measure(pad);
        if let Some(caps) = pad.current_caps() {
            return self.grow_branch(pad, &caps);
        }
        let grower = self.clone();
        pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |pad, info| {
            match info.event().map(|event| event.view()) {
                Some(gst::EventView::Caps(caps)) => {
                    grower.grow_branch(pad, &caps.caps_owned());
                    gst::PadProbeReturn::Remove
                }
                Some(gst::EventView::Eos(_)) if grower.current.lock().unwrap().is_none() => {
                    grower.tell(Report::InputEnd);
                    gst::PadProbeReturn::Ok
                }
                _ => gst::PadProbeReturn::Ok,
            }
        });
    }

    /// Leaves parser and decoder to `decodebin`.
    fn decode(self: &Arc<Self>, pad: &gst::Pad) {
        let Ok(decoder) = gst::ElementFactory::make("decodebin").build() else {
            return self.tell(Report::NoDecoder(pad.current_caps().unwrap_or_else(gst::Caps::new_empty)));
        };
        // If it pulled, it would do so on a thread of its own from the moment it is linked, while the caps are still on
        // their way to it from the demuxer's: each then holds a lock that the other waits for (seen with id3demux).
        push_only(pad);
        let grower = self.clone();
        decoder.connect_pad_added(move |_, pad| {
            let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
            grower.deliver(pad, &caps);
        });
        let grower = self.clone();
        decoder.connect("unknown-type", false, move |values| {
            grower.tell(Report::NoDecoder(values[2].get().expect("unknown-type carries caps")));
            None
        });
        self.plug(pad, &decoder);
    }

    /// Ends the chain. Only what our decoder does not take as it is goes through a converter, and a resampler where
    /// the rate is beyond all that are for speech or music.
    fn deliver(&self, pad: &gst::Pad, caps: &gst::Caps) {
        let end = self.sink.static_pad("sink").expect("an appsink has one sink pad");
        if end.is_linked() {
            return;
        }
        if caps.is_subset(&track_caps()) {
            let _ = pad.link(&end);
            return;
        }
        let n_channels = caps.structure(0).and_then(|s| s.get::<i32>("channels").ok()).unwrap_or_default();
        if n_channels > CHANNELS_MAX {
            return self.tell(Report::TooManyChannels(n_channels));
        }
        let converter = gst::ElementFactory::make("audioconvert")
            .property_from_str("dithering", "none")
            .property_from_str("noise-shaping", "none")
            .build();
        let rate = caps.structure(0).and_then(|s| s.get::<i32>("rate").ok()).unwrap_or_default();
        let resampler = (!RAW_RATES.contains(&rate)).then(|| gst::ElementFactory::make("audioresample").build());
        let Ok((converter, resampler)) = converter.and_then(|c| Ok((c, resampler.transpose()?))) else {
            return self.tell(Report::NoDecoder(caps.clone()));
        };
        if let Some(n) = unplaced_channels(caps) {
            let share = gst::Array::new(std::iter::repeat_n(1.0 / n as f32, n));
            converter.set_property("mix-matrix", gst::Array::new([share]));
        }
        let mut last = pad.clone();
        for element in [Some(converter), resampler].into_iter().flatten() {
            self.plug(&last, &element);
            last = element.static_pad("src").expect("a filter has one src pad");
        }
        let _ = last.link(&end);
    }

    /// Adds an element behind a pad; returns whether that was possible.
    ///
    /// Its state is locked until it is linked: whoever starts the pipeline may still be walking over its elements, and
    /// a demuxer that is activated without a peer decides to be pushed to, and never pulls.
    fn plug(&self, pad: &gst::Pad, element: &gst::Element) -> bool {
        let is_over = self.is_over.read().unwrap();
        let Some(pipeline) = self.pipeline.upgrade().filter(|_| !*is_over) else { return false };
        element.set_locked_state(true);
        let sink = element.static_pad("sink").or_else(|| element.sink_pads().into_iter().next());
        let is_linked = pipeline.add(element).is_ok() && sink.is_some_and(|sink| pad.link(&sink).is_ok());
        element.set_locked_state(false);
        is_linked && element.sync_state_with_parent().is_ok()
    }
}

/// Returns how many channels there are, where they are more than two and nothing says which is left and which is right:
/// a converter that is not told how to mix those refuses them.
fn unplaced_channels(caps: &gst::Caps) -> Option<usize> {
    let s = caps.structure(0)?;
    let is_placed = s.get::<gst::Bitmask>("channel-mask").is_ok_and(|mask| mask.0 != 0);
    s.get::<i32>("channels").ok().and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 2 && !is_placed)
}

/// Hides from whoever is linked to a pad that it could pull.
fn push_only(pad: &gst::Pad) {
    pad.add_probe(gst::PadProbeType::QUERY_UPSTREAM | gst::PadProbeType::PUSH, |_, info| {
        match info.query_mut().map(|query| query.view_mut()) {
            Some(gst::QueryViewMut::Scheduling(scheduling)) => {
                scheduling.set(gst::SchedulingFlags::SEQUENTIAL, 1, -1, 0);
                scheduling.add_scheduling_modes([gst::PadMode::Push]);
                gst::PadProbeReturn::Handled
            }
            _ => gst::PadProbeReturn::Ok,
        }
    });
}

/// Name of a pad's caps.
fn kind(pad: &gst::Pad) -> Option<glib::GString> {
    pad.current_caps()?.structure(0).map(|s| s.name().to_owned())
}

fn is_audio(caps: &gst::Caps) -> bool {
    caps.structure(0).is_some_and(|s| s.name().starts_with("audio/"))
}

fn is_raw(caps: &gst::Caps) -> bool {
    caps.structure(0).is_some_and(|s| s.has_name("audio/x-raw"))
}

/// Returns the demuxer of highest rank (then, by name) that takes these caps and keeps to this file.
fn find_demuxer(caps: &gst::Caps) -> Option<gst::ElementFactory> {
    let demuxers = gst::ElementFactory::factories_with_type(gst::ElementFactoryType::DEMUXER, gst::Rank::MARGINAL);
    demuxers
        .into_iter()
        .filter(|factory| factory.can_sink_any_caps(caps) && keeps_to_file(factory))
        .max_by(|a, b| a.rank().cmp(&b.rank()).then_with(|| b.name().cmp(&a.name())))
}

/// Returns whether a demuxer opens nothing but what it is given.
fn keeps_to_file(factory: &gst::ElementFactory) -> bool {
    let class = factory.metadata("klass").unwrap_or_default();
    !class.split('/').any(|word| matches!(word, "Adaptive" | "Network"))
}
