//! What happens to buffers: they are put in place, and what becomes complete by them goes out.
//!
//! Several threads may push. Each puts its media in place under the state lock; whoever makes output possible pushes
//! it, under the src pad's stream lock over take-and-push, so that the order of pieces is the order of positions.
//!
//! Without `timeline` a lane that is more than `max-lead` ahead waits for the others, as in any GStreamer element
//! with several sinks. The wait ends by media on the others, EOS, flush, a released pad and a state change.

use gst::prelude::*;
use gst::subclass::prelude::*;

use crate::join::element::{Join, JoinElement};
use crate::join::pads::Sink;
use crate::join::state::{State, Step};
use crate::join::{Blend, Piece};
use crate::samples;
use crate::samples::SAMPLE_BYTES;

impl<B: Blend> JoinElement<B> {
    pub(super) fn chain<E: Join<Blend = B>>(
        &self,
        imp: &E,
        pad: &gst::Pad,
        sink: Sink,
        buffer: gst::Buffer,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        match sink {
            Sink::Lane(lane) => {
                self.wait_for_room(imp, pad, lane)?;
                self.place(imp, pad, lane, buffer)?;
            }
            // Whatever buffers come on the timeline, only their time counts.
            Sink::Timeline => self.advance(sink, buffer.pts(), buffer.duration()),
        }
        self.emit(imp)
    }

    /// Waits while `lane` is too far ahead of the slowest one.
    fn wait_for_room<E: Join<Blend = B>>(&self, imp: &E, pad: &gst::Pad, lane: u32) -> Result<(), gst::FlowError> {
        let sink = Sink::Lane(lane);
        let mut state = self.state.lock().unwrap();
        loop {
            if state.stopped || state.flushing.contains(&sink) {
                return Err(gst::FlowError::Flushing);
            }
            if state.lanes.is_ended(lane) || state.eos_sent {
                return Err(gst::FlowError::Eos);
            }
            let settings = *self.settings();
            let lead = state.rate.map_or(0, |rate| samples::position_at(settings.max_lead, rate)) + state.delay();
            if state.lanes.has_horizon() || state.stale.contains(&sink) || state.lanes.lead(lane) <= lead {
                return Ok(());
            }
            if state.is_due(settings.latency) {
                // By something that no buffer did: a pad was released, a flush has ended.
                drop(state);
                self.emit(imp)?;
                state = self.state.lock().unwrap();
                continue;
            }
            gst::debug!(*imp.category(), obj = pad, "{} samples ahead, waits for others", state.lanes.lead(lane));
            state = self.wake.wait(state).unwrap();
        }
    }

    fn place<E: Join<Blend = B>>(
        &self,
        imp: &E,
        pad: &gst::Pad,
        lane: u32,
        buffer: gst::Buffer,
    ) -> Result<(), gst::FlowError> {
        let sink = Sink::Lane(lane);
        let mut state = self.state.lock().unwrap();
        if state.stale.contains(&sink) {
            return Ok(());
        }
        let State { blend, lanes, segments, rate, .. } = &mut *state;
        let Some(rate) = *rate else { return Err(gst::FlowError::NotNegotiated) };
        let Some(segment) = segments.get(&sink) else { return Err(gst::FlowError::NotNegotiated) };
        if buffer.pts().is_none() {
            drop(state);
            gst::element_imp_error!(
                imp,
                gst::StreamError::Format,
                ("Audio without a time-stamp"),
                ["{}: buffer without PTS", pad.name()]
            );
            return Err(gst::FlowError::Error);
        }
        let clipped = gst_audio::audio_buffer_clip(buffer, segment.upcast_ref(), rate, SAMPLE_BYTES as u32);
        // What stands outside its segment is not to be heard.
        let Some(buffer) = clipped else { return Ok(()) };
        let Some(time) = buffer.pts().and_then(|pts| segment.to_running_time(pts)) else { return Ok(()) };
        let Ok(map) = buffer.map_readable() else {
            drop(state);
            gst::element_imp_error!(imp, gst::ResourceError::Read, ["{}: unreadable buffer", pad.name()]);
            return Err(gst::FlowError::Error);
        };
        let block = samples::as_samples(&map);
        let discont = buffer.flags().contains(gst::BufferFlags::DISCONT);
        let before = lanes.lost();
        let place = lanes.place(lane, samples::position_at(time, rate), block.len(), discont, rate);
        let lost = lanes.lost();
        blend.add(lane, place.at, &block[place.range]);
        drop(state);
        if lost != before {
            gst::warning!(*imp.category(), obj = pad, "samples at {time} do not fit: {before:?} → {lost:?}");
        }
        Ok(())
    }

    /// Says that `sink` has nothing more before the end of what begins at `start`.
    pub(super) fn advance(&self, sink: Sink, start: Option<gst::ClockTime>, duration: Option<gst::ClockTime>) {
        let rate = match sink {
            Sink::Timeline => Some(self.fix_rate()),
            Sink::Lane(_) => self.state.lock().unwrap().rate,
        };
        let mut state = self.state.lock().unwrap();
        if state.stale.contains(&sink) {
            return;
        }
        let (Some(start), Some(rate), Some(segment)) = (start, rate, state.segments.get(&sink)) else { return };
        let end = start.saturating_add(duration.unwrap_or_default());
        let end = segment.stop().map_or(end, |stop| end.min(stop));
        let Some(time) = segment.to_running_time(end) else { return };
        let position = samples::position_at(time, rate);
        match sink {
            Sink::Lane(lane) => state.lanes.advance(lane, position),
            Sink::Timeline => state.lanes.advance_horizon(position),
        }
    }

    /// Pushes all that may go out.
    pub(super) fn emit<E: Join<Blend = B>>(&self, imp: &E) -> Result<gst::FlowSuccess, gst::FlowError> {
        let latency = self.settings().latency;
        let _order = self.srcpad.stream_lock();
        loop {
            let step = self.state.lock().unwrap().step(latency);
            // Before the push: who waits has room by what was taken, whether downstream takes it or not.
            self.wake.notify_all();
            match step {
                None => return Ok(gst::FlowSuccess::Ok),
                Some(Step::Start { rate, channels }) => self.push_start(imp, rate, channels),
                Some(Step::Piece { position, rate, channels, piece }) => {
                    self.push_piece(imp, position, rate, channels, piece)?;
                }
                Some(Step::Eos) => {
                    let seqnum = self.state.lock().unwrap().seqnum;
                    self.srcpad.push_event(gst::event::Eos::builder().seqnum_if_some(seqnum).build());
                    return Ok(gst::FlowSuccess::Ok);
                }
            }
        }
    }

    fn push_start<E: Join<Blend = B>>(&self, imp: &E, rate: u32, channels: u32) {
        let seqnum = self.state.lock().unwrap().seqnum;
        // Not made from upstream's, as an element with one sink would: there are many.
        let stream_id = format!("reel/{}", imp.obj().upcast_ref::<gst::Object>().path_string());
        let start = gst::event::StreamStart::builder(&stream_id).group_id(gst::GroupId::next());
        self.srcpad.push_event(start.seqnum_if_some(seqnum).build());
        let caps = caps_of(rate, channels);
        if !self.srcpad.push_event(gst::event::Caps::new(&caps)) {
            gst::debug!(*imp.category(), obj = self.srcpad, "downstream did not take {caps}");
        }
        let segment = gst::FormattedSegment::<gst::ClockTime>::new();
        self.srcpad.push_event(gst::event::Segment::builder(&segment).seqnum_if_some(seqnum).build());
    }

    fn push_piece<E: Join<Blend = B>>(
        &self,
        imp: &E,
        position: u64,
        rate: u32,
        channels: u32,
        piece: Piece,
    ) -> Result<(), gst::FlowError> {
        if let Some(event) = piece.event {
            self.srcpad.push_event(event);
        }
        if let Some(structure) = piece.message {
            let message = gst::message::Element::builder(structure).src(&*imp.obj()).build();
            let _ = imp.obj().post_message(message);
        }
        let buffer = samples::buffer_of(piece.samples, channels, position, rate);
        gst::log!(*imp.category(), obj = self.srcpad, "pushing {buffer:?}");
        self.srcpad.push(buffer)?;
        Ok(())
    }

    /// All media has come: pushes the rest and EOS.
    pub(super) fn end<E: Join<Blend = B>>(&self, imp: &E) -> bool {
        // Even a stream without any media has caps, so that downstream can make an empty file of it.
        self.fix_rate();
        let emitted = self.emit(imp);
        if emitted.is_err() {
            // Downstream takes no more media, but must be told that none will come: files are closed then.
            self.push_eos();
        }
        emitted.is_ok()
    }

    /// Ends the output, whatever has not been pushed.
    fn push_eos(&self) {
        let _order = self.srcpad.stream_lock();
        let (has_ended, seqnum) = {
            let mut state = self.state.lock().unwrap();
            (state.stopped || std::mem::replace(&mut state.eos_sent, true), state.seqnum)
        };
        if !has_ended {
            self.srcpad.push_event(gst::event::Eos::builder().seqnum_if_some(seqnum).build());
        }
    }
}

/// Returns the caps of the output; more than one channel carry no speaker positions: they are voices.
fn caps_of(rate: u32, channels: u32) -> gst::Caps {
    let caps = gst::Caps::builder("audio/x-raw")
        .field("format", "S16LE")
        .field("layout", "interleaved")
        .field("rate", rate as i32)
        .field("channels", channels as i32);
    match channels {
        1 => caps.build(),
        _ => caps.field("channel-mask", gst::Bitmask(0)).build(),
    }
}
