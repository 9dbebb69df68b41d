//! When pads of a joining element go, and when its stream begins and ends.

use gst::prelude::*;
use gst::subclass::prelude::*;

use crate::join::element::Join;
use crate::join::pads::sink_named;

/// Takes a requested pad away.
pub(crate) fn release<E: Join>(imp: &E, pad: &gst::Pad) {
    let Some(sink) = sink_named(&pad.name()) else { return };
    imp.join().unblock(sink);
    let _ = pad.set_active(false);
    let _ = imp.obj().upcast_ref::<gst::Element>().remove_pad(pad);
    imp.join().release(imp, sink);
}

/// Starts and stops the stream around the parent's state change.
pub(crate) fn change_state<E: Join>(
    imp: &E,
    transition: gst::StateChange,
    parent: impl FnOnce(gst::StateChange) -> Result<gst::StateChangeSuccess, gst::StateChangeError>,
) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
    match transition {
        gst::StateChange::ReadyToPaused => imp.join().start(imp.new_blend()),
        gst::StateChange::PausedToReady => imp.join().stop(),
        _ => (),
    }
    let success = parent(transition)?;
    if transition == gst::StateChange::PausedToReady {
        // What the stream made is forgotten only when nobody pushes any more.
        imp.join().forget(imp.new_blend());
    }
    Ok(success)
}
