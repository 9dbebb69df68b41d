//! Ports on which nobody listens.

use std::collections::BTreeSet;
use std::net::UdpSocket;
use std::sync::Mutex;

/// Returns a port that is free now, and the one behind it too, for RTCP; never the same twice.
pub(crate) fn pair() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let bind = |port: u16| UdpSocket::bind(("127.0.0.1", port)).ok();
    let pair = || {
        let rtp = bind(0)?;
        let port = rtp.local_addr().ok()?.port();
        let next = port.checked_add(1).filter(|next| *next < u16::MAX)?;
        bind(next)?;
        let mut given = GIVEN.lock().expect("nobody panics with it");
        let is_new = !given.contains(&port) && !given.contains(&next);
        is_new.then(|| given.extend([port, next])).map(|()| port)
    };
    std::iter::repeat_with(pair).take(1_000).flatten().next().expect("two ports side by side")
}
