//! The GStreamer side of a join: its pads, its state and when that begins and ends. Knows no sample.
//!
//! `stream` has what happens to buffers, `events` and `queries` the rest that comes by the pads.

use std::sync::{Condvar, Mutex, MutexGuard};

use gst::prelude::*;
use gst::subclass::prelude::*;

use crate::join::Blend;
use crate::join::lanes::Lanes;
use crate::join::pads::Sink;
use crate::join::settings::Settings;
use crate::join::state::State;
use crate::lock::lock_anyway;
use crate::messages;

/// An element that joins lanes; `B` says how.
///
/// Lock order: a sink pad's stream lock, the src pad's stream lock, `state`, `settings`.
pub(crate) struct JoinElement<B> {
    pub(super) srcpad: gst::Pad,
    settings: Mutex<Settings>,
    pub(super) state: Mutex<State<B>>,
    /// Goes with `state`: something changed that may end a wait.
    pub(super) wake: Condvar,
}

/// An element that has a [`JoinElement`].
pub(crate) trait Join: ElementImpl {
    type Blend: Blend;

    /// Debug category.
    fn category(&self) -> &'static gst::DebugCategory;

    fn join(&self) -> &JoinElement<Self::Blend>;

    /// Returns a blend for a stream that begins.
    fn new_blend(&self) -> Self::Blend;

    /// Sees events that come upstream; true when it was meant for this element.
    fn upstream_event(&self, _event: &gst::Event) -> bool {
        false
    }
}

impl<B: Blend> JoinElement<B> {
    /// Makes the element's src pad and its state.
    pub(crate) fn new<E: Join<Blend = B>>(template: &gst::PadTemplate, blend: B) -> Self {
        let srcpad = gst::Pad::builder_from_template(template)
            .event_function(|pad, parent, event| {
                E::catch_panic_pad_function(parent, || false, |imp| imp.join().src_event(imp, pad, event))
            })
            .query_function(|pad, parent, query| {
                E::catch_panic_pad_function(parent, || false, |imp| imp.join().src_query(imp, pad, query))
            })
            .flags(gst::PadFlags::FIXED_CAPS)
            .build();
        let state = Mutex::new(State::new(blend, Lanes::default()));
        Self { srcpad, settings: Mutex::default(), state, wake: Condvar::new() }
    }

    pub(crate) fn srcpad(&self) -> &gst::Pad {
        &self.srcpad
    }

    pub(crate) fn settings(&self) -> MutexGuard<'_, Settings> {
        lock_anyway(&self.settings)
    }

    /// Runs `f` on the blend.
    pub(crate) fn with_blend<R>(&self, f: impl FnOnce(&mut B) -> R) -> R {
        f(&mut lock_anyway(&self.state).blend)
    }

    /// Sets a property that all joining elements have.
    pub(crate) fn set_property(&self, value: &gst::glib::Value, pspec: &gst::glib::ParamSpec) {
        self.settings().set(value, pspec);
        self.settings_changed();
    }

    /// Returns a property that all joining elements have.
    pub(crate) fn property(&self, pspec: &gst::glib::ParamSpec) -> gst::glib::Value {
        self.settings().get(pspec)
    }

    /// Lets all who wait look at the settings again.
    fn settings_changed(&self) {
        // Who is between a look and a wait holds the lock: it is waited for, else it would miss this.
        drop(lock_anyway(&self.state));
        self.wake.notify_all();
    }

    /// Returns the samples lost so far, by kind, and those that came out.
    pub(crate) fn stats(&self) -> gst::structure::Builder {
        let state = lock_anyway(&self.state);
        let lost = state.lanes.lost();
        gst::Structure::builder(messages::STATS)
            .field("samples", state.samples)
            .field("late-samples", lost.late)
            .field("overlapping-samples", lost.overlap)
            .field("ahead-samples", lost.ahead)
    }

    /// Makes a sink pad of `template` for `sink`.
    pub(crate) fn sink_pad<
        E: Join<Blend = B>,
        P: IsA<gst::Pad> + IsA<gst::glib::Object> + gst::glib::object::IsClass,
    >(
        &self,
        template: &gst::PadTemplate,
        name: &str,
        sink: Sink,
    ) -> P {
        {
            let mut state = self.state.lock().unwrap();
            match sink {
                Sink::Lane(lane) => {
                    state.lanes.add(lane);
                    state.blend.enter(lane);
                }
                Sink::Timeline => state.lanes.follow_horizon(),
            }
        }
        self.wake.notify_all();
        gst::PadBuilder::<P>::from_template(template)
            .name(name)
            .chain_function(move |pad, parent, buffer| {
                E::catch_panic_pad_function(
                    parent,
                    || Err(gst::FlowError::Error),
                    |imp| imp.join().chain(imp, pad.upcast_ref(), sink, buffer),
                )
            })
            .event_function(move |pad, parent, event| {
                E::catch_panic_pad_function(
                    parent,
                    || false,
                    |imp| imp.join().sink_event(imp, pad.upcast_ref(), sink, event),
                )
            })
            .query_function(move |pad, parent, query| {
                E::catch_panic_pad_function(parent, || false, |imp| imp.join().sink_query(imp, pad.upcast_ref(), query))
            })
            .build()
    }

    /// Ends the wait of who pushes on a pad that is about to go: the pad cannot be stopped before.
    pub(crate) fn unblock(&self, sink: Sink) {
        self.state.lock().unwrap().flushing.insert(sink);
        self.wake.notify_all();
    }

    /// Forgets a sink pad; output that waited for it goes on.
    pub(crate) fn release<E: Join<Blend = B>>(&self, imp: &E, sink: Sink) {
        let last = {
            let mut state = self.state.lock().unwrap();
            state.segments.remove(&sink);
            state.flushing.remove(&sink);
            state.stale.remove(&sink);
            match sink {
                Sink::Lane(lane) => {
                    state.lanes.remove(lane);
                    state.blend.leave(lane);
                }
                Sink::Timeline => state.lanes.forget_horizon(),
            }
            state.lanes.reach(0).last
        };
        self.wake.notify_all();
        // Else it is who waits, or the next buffer, that goes on pushing: downstream may block, and whoever releases a
        // pad must not be held up by that. But when all others have ended nobody else is left to end the stream.
        if last {
            self.end(imp);
        }
    }

    /// READY → PAUSED: begins a stream.
    pub(crate) fn start(&self, blend: B) {
        self.forget(blend);
        self.state.lock().unwrap().stopped = false;
    }

    /// PAUSED → READY, before the pads stop: releases everybody who waits.
    pub(crate) fn stop(&self) {
        self.state.lock().unwrap().stopped = true;
        self.wake.notify_all();
    }

    /// Forgets what the stream made; the pads stay.
    pub(crate) fn forget(&self, blend: B) {
        let mut state = self.state.lock().unwrap();
        let mut lanes = std::mem::take(&mut state.lanes);
        lanes.forget();
        *state = State::new(blend, lanes);
    }
}
