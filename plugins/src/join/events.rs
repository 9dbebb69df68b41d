//! Events of a join's pads: what the lanes say, and flushes in both directions.
//!
//! A *flushing seek* comes by the src pad. Downstream is flushed before it goes on up, since who pushes may be blocked
//! there; from then on what a pad brings is stale until its own flush. A flush that upstream begins by itself is the
//! affair of that voice alone, unless it is the only one that is left.

use gst::prelude::*;
use gst::subclass::prelude::*;

use crate::join::Blend;
use crate::join::element::{Join, JoinElement};
use crate::join::pads::Sink;
use crate::join::state::{Downstream, State};
use crate::samples::Format;

impl<B: Blend> JoinElement<B> {
    pub(super) fn sink_event<E: Join<Blend = B>>(
        &self,
        imp: &E,
        pad: &gst::Pad,
        sink: Sink,
        event: gst::Event,
    ) -> bool {
        gst::debug!(*imp.category(), obj = pad, "{event:?}");
        match (event.view(), sink) {
            (gst::EventView::Caps(caps), Sink::Lane(_)) => self.take_caps(imp, pad, caps.caps()),
            (gst::EventView::Segment(segment), _) => self.take_segment(imp, pad, sink, segment.segment()),
            (gst::EventView::Gap(gap), _) => {
                let (start, duration) = gap.get();
                self.advance(sink, Some(start), duration);
                self.emit(imp).is_ok()
            }
            (gst::EventView::Eos(_), _) => self.take_eos(imp, sink),
            (gst::EventView::FlushStart(_), _) => self.flush_start(sink, event.seqnum()),
            (gst::EventView::FlushStop(_), _) => self.flush_stop(sink, event.seqnum()),
            // Who has ended may begin again.
            (gst::EventView::StreamStart(_), Sink::Lane(lane)) => {
                self.state.lock().unwrap().lanes.begin(lane);
                true
            }
            // Each lane's own; the output has its own, and tags of one voice say nothing about the mix.
            (
                gst::EventView::StreamStart(_)
                | gst::EventView::Caps(_)
                | gst::EventView::Tag(_)
                | gst::EventView::StreamGroupDone(_)
                | gst::EventView::StreamCollection(_),
                _,
            ) => true,
            _ => gst::Pad::event_default(pad, Some(&*imp.obj()), event),
        }
    }

    fn take_caps<E: Join<Blend = B>>(&self, imp: &E, pad: &gst::Pad, caps: &gst::CapsRef) -> bool {
        let Some(Format { rate: asked, .. }) = Format::from_graph_caps(caps) else { return false };
        let wanted = self.settings().rate;
        let rate = *self.state.lock().unwrap().rate.get_or_insert(wanted.unwrap_or(asked));
        if rate == asked {
            return true;
        }
        gst::element_imp_error!(
            imp,
            gst::StreamError::Format,
            ("Participants of one recording must have one sample rate"),
            ["{} has {asked} Hz, the stream {rate} Hz", pad.name()]
        );
        false
    }

    fn take_segment<E: Join<Blend = B>>(&self, imp: &E, pad: &gst::Pad, sink: Sink, segment: &gst::Segment) -> bool {
        if let Some(segment) = segment.downcast_ref() {
            self.state.lock().unwrap().segments.insert(sink, segment.clone());
            return true;
        }
        gst::element_imp_error!(
            imp,
            gst::StreamError::Format,
            ("Only media with time-stamps can be joined"),
            ["{}: segment is not in TIME format", pad.name()]
        );
        false
    }

    fn take_eos<E: Join<Blend = B>>(&self, imp: &E, sink: Sink) -> bool {
        let last = {
            let mut state = self.state.lock().unwrap();
            match sink {
                Sink::Lane(lane) => state.lanes.end(lane),
                Sink::Timeline => state.lanes.end_horizon(),
            }
            state.lanes.reach(0).last
        };
        self.wake.notify_all();
        if last { self.end(imp) } else { self.emit(imp).is_ok() }
    }

    fn flush_start(&self, sink: Sink, seqnum: gst::Seqnum) -> bool {
        let begins = {
            let mut state = self.state.lock().unwrap();
            state.flushing.insert(sink);
            let flushing = |lane| state.flushing.contains(&Sink::Lane(lane));
            let is_whole = match sink {
                Sink::Timeline => true,
                Sink::Lane(_) => !state.lanes.has_horizon() && state.lanes.names().all(flushing),
            };
            let begins = is_whole && !state.stale.contains(&sink) && state.begin_flush(seqnum);
            if begins {
                let State { flushing, stale, .. } = &mut *state;
                stale.extend(flushing.iter());
            }
            begins
        };
        self.wake.notify_all();
        if begins {
            self.push_flush_start(seqnum);
        }
        true
    }

    fn flush_stop(&self, sink: Sink, seqnum: gst::Seqnum) -> bool {
        let begins = {
            let mut state = self.state.lock().unwrap();
            state.flushing.remove(&sink);
            state.segments.remove(&sink);
            let is_expected = state.stale.remove(&sink);
            let is_whole = match sink {
                Sink::Timeline => state.lanes.flush_horizon(),
                Sink::Lane(lane) => state.lanes.flush(lane),
            };
            is_whole && !is_expected && state.begin_flush(seqnum)
        };
        self.wake.notify_all();
        if begins {
            self.push_flush_start(seqnum);
        }
        self.end_flush();
        true
    }

    fn push_flush_start(&self, seqnum: gst::Seqnum) {
        self.srcpad.push_event(gst::event::FlushStart::builder().seqnum(seqnum).build());
    }

    /// Lets the output begin anew.
    fn end_flush(&self) {
        let seqnum = {
            let mut state = self.state.lock().unwrap();
            if state.downstream != Downstream::Flushes {
                return;
            }
            state.downstream = Downstream::Resumes;
            state.seqnum
        };
        {
            // Who was pushing comes back by FLUSH_START; after FLUSH_STOP there must be nothing from before.
            let _order = self.srcpad.stream_lock();
            self.srcpad.push_event(gst::event::FlushStop::builder(true).seqnum_if_some(seqnum).build());
            self.state.lock().unwrap().downstream = Downstream::Flows;
        }
        self.wake.notify_all();
    }

    pub(super) fn src_event<E: Join<Blend = B>>(&self, imp: &E, pad: &gst::Pad, event: gst::Event) -> bool {
        gst::debug!(*imp.category(), obj = pad, "{event:?}");
        if imp.upstream_event(&event) {
            return true;
        }
        match event.view() {
            gst::EventView::Seek(seek) if seek.get().1.contains(gst::SeekFlags::FLUSH) => self.seek(imp, pad, event),
            _ => gst::Pad::event_default(pad, Some(&*imp.obj()), event),
        }
    }

    fn seek<E: Join<Blend = B>>(&self, imp: &E, pad: &gst::Pad, event: gst::Event) -> bool {
        let begins = {
            let mut state = self.state.lock().unwrap();
            let sinks: Vec<Sink> = state.lanes.names().map(Sink::Lane).chain([Sink::Timeline]).collect();
            state.stale.extend(sinks);
            state.begin_flush(event.seqnum())
        };
        self.wake.notify_all();
        if begins {
            self.push_flush_start(event.seqnum());
        }
        let is_done = gst::Pad::event_default(pad, Some(&*imp.obj()), event);
        // Who did not flush by now does not seek: what it brings counts again.
        self.state.lock().unwrap().stale.clear();
        self.end_flush();
        is_done
    }
}
