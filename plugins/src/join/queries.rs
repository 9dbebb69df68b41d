//! Queries of a join's pads: caps (one sample rate for all) and latency.

use gst::prelude::*;
use gst::subclass::prelude::*;

use crate::join::Blend;
use crate::join::element::{Join, JoinElement};
use crate::samples;

/// Sample rate where nobody says another one.
const RATE_NATURAL: i32 = 16_000;

impl<B: Blend> JoinElement<B> {
    /// Returns the rate; decides on one when output is due before any media has said it.
    pub(super) fn fix_rate(&self) -> u32 {
        let wanted = self.settings().rate;
        let known = self.state.lock().unwrap().rate.or(wanted);
        let rate = known.unwrap_or_else(|| self.downstream_rate());
        *self.state.lock().unwrap().rate.get_or_insert(rate)
    }

    fn downstream_rate(&self) -> u32 {
        let mut caps = self.srcpad.peer_query_caps(Some(&self.srcpad.pad_template_caps()));
        if caps.is_empty() {
            return RATE_NATURAL as u32;
        }
        caps.truncate();
        if let Some(s) = caps.make_mut().structure_mut(0) {
            s.fixate_field_nearest_int("rate", RATE_NATURAL);
            return s.get::<i32>("rate").unwrap_or(RATE_NATURAL) as u32;
        }
        RATE_NATURAL as u32
    }

    pub(super) fn sink_query<E: Join<Blend = B>>(&self, imp: &E, pad: &gst::Pad, query: &mut gst::QueryRef) -> bool {
        match query.view_mut() {
            gst::QueryViewMut::Caps(caps) => {
                let template = pad.pad_template_caps();
                let allowed = self.allowed_caps(&template);
                let allowed = match caps.filter() {
                    Some(filter) => filter.intersect_with_mode(&allowed, gst::CapsIntersectMode::First),
                    None => allowed,
                };
                caps.set_result(&allowed);
                true
            }
            // Downstream's pools and meta are for its own buffers.
            gst::QueryViewMut::Allocation(_) => false,
            _ => gst::Pad::query_default(pad, Some(&*imp.obj()), query),
        }
    }

    /// Returns what a lane may bring: one rate for all, which downstream takes too.
    fn allowed_caps(&self, template: &gst::Caps) -> gst::Caps {
        let wanted = self.settings().rate;
        let rate = self.state.lock().unwrap().rate.or(wanted);
        let mut allowed = template.clone();
        if allowed.is_any() {
            return allowed;
        }
        if let Some(rate) = rate {
            allowed.make_mut().set("rate", rate as i32);
            return allowed;
        }
        let downstream = self.srcpad.peer_query_caps(None);
        if downstream.is_any() || downstream.is_empty() {
            return allowed;
        }
        // Of downstream's caps only the rate concerns a lane: the output may have more channels.
        let rates: gst::Caps = downstream.iter().map(only_rate).collect();
        rates.intersect_with_mode(&allowed, gst::CapsIntersectMode::First)
    }

    pub(super) fn src_query<E: Join<Blend = B>>(&self, imp: &E, pad: &gst::Pad, query: &mut gst::QueryRef) -> bool {
        let answered = gst::Pad::query_default(pad, Some(&*imp.obj()), query);
        if let gst::QueryViewMut::Latency(latency) = query.view_mut() {
            let (live, min, max) = latency.result();
            let own = {
                let state = self.state.lock().unwrap();
                state.rate.map_or(gst::ClockTime::ZERO, |rate| samples::time_of(state.delay(), rate))
            };
            latency.set(live, min + own, max.map(|max| max + own));
        }
        answered
    }
}

fn only_rate(s: &gst::StructureRef) -> gst::Structure {
    let mut rate = gst::Structure::new_empty("audio/x-raw");
    if let Ok(value) = s.value("rate") {
        rate.set_value("rate", value.to_send_value());
    }
    rate
}
