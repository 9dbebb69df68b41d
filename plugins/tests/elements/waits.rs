//! Tells when a thread has begun to wait inside an element: by the line that the element logs just before.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, Once};

use crate::rig::DEADLINE;

static WAITS: Mutex<BTreeMap<String, u32>> = Mutex::new(BTreeMap::new());
static CHANGED: Condvar = Condvar::new();

/// Begins to listen; before anything waits.
pub(crate) fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        gst::log::remove_default_log_function();
        for name in ["reelmixer", "reelchannels"] {
            gst::log::set_threshold_for_name(name, gst::DebugLevel::Debug);
        }
        gst::log::add_log_function(|_, _, _, _, _, object, message| {
            if let (Some(object), Some(text)) = (object, message.get())
                && text.ends_with("waits for others")
            {
                *WAITS.lock().unwrap().entry(object.to_string()).or_default() += 1;
                CHANGED.notify_all();
            }
        });
    });
}

/// Returns when somebody has waited on `pad` of the element named `element`.
#[track_caller]
pub(crate) fn until_waiting(element: &str, pad: &str) {
    let name = format!("{element}:{pad}");
    let waits = WAITS.lock().unwrap();
    let nobody = |waits: &mut BTreeMap<String, u32>| !waits.keys().any(|known| known.contains(&name));
    let (waits, timeout) = CHANGED.wait_timeout_while(waits, DEADLINE, nobody).unwrap();
    assert!(!timeout.timed_out(), "nobody waits on {name}: {waits:?}");
}
