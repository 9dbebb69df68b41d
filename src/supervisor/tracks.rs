//! The tracks of everybody in a call, and the ports that they are heard by.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;
use std::time::Instant;

use crate::ingest::rtp::Port;
use crate::ingest::rtp::PortId;
use crate::ingest::rtp::Readers;
use crate::ingest::rtp::RtpError;
use crate::media::Settings;
use crate::media::Track;
use crate::media::lock;
use crate::supervisor::Refusal;
use crate::supervisor::input::MemberKey;

/// Ports that are tried for one track: others may have some of the range.
const TRIES_MAX: usize = 64;

/// A port that nothing has come to for so long is given to others; where no other is free, for so long.
pub(super) const QUIET: Duration = Duration::from_secs(30);
const QUIET_MIN: Duration = Duration::from_secs(2);

/// Open tracks.
pub(super) struct Tracks {
    readers: Readers,
    address: IpAddr,
    /// What is told of that.
    announced: IpAddr,
    range: RangeInclusive<u16>,
    /// Even ports that are not taken, the one that was free for the longest time first.
    free: VecDeque<u16>,
    open: HashMap<MemberKey, Open>,
    /// Nobody's any more; who had them may still send.
    closing: Vec<Closing>,
}

struct Closing {
    open: Open,
    /// What it had got when it was last looked at, and since when that is all.
    received: u64,
    quiet_since: Instant,
}

struct Open {
    track: Arc<Mutex<Track>>,
    id: PortId,
    port: u16,
}

impl Tracks {
    pub(super) fn new(readers: Readers, address: IpAddr, announced: IpAddr, range: RangeInclusive<u16>) -> Self {
        let free = range.clone().filter(|port| port % 2 == 0 && port < range.end()).collect();
        Self { readers, address, announced, range, free, open: HashMap::new(), closing: Vec::new() }
    }

    /// Opens a track on a port that is free.
    pub(super) fn open(&mut self, key: MemberKey, settings: Settings) -> Result<SocketAddr, Refusal> {
        if self.free.is_empty() {
            self.sweep(QUIET_MIN);
        }
        for _ in 0..TRIES_MAX.min(self.free.len()) {
            let Some(port) = self.free.pop_front() else { break };
            match self.open_at(key, settings, port) {
                Ok(address) => return Ok(address),
                // Somebody else's: it may be free later.
                Err(error) => {
                    tracing::debug!(%error, "a port is passed over");
                    self.free.push_back(port);
                }
            }
        }
        Err(Refusal::NoCapacity("no port is free to receive at".to_owned()))
    }

    /// Opens a track on the port that it had before.
    pub(super) fn reopen(&mut self, key: MemberKey, settings: Settings, port: u16) -> Result<SocketAddr, Refusal> {
        let opened = self.open_at(key, settings, port).map_err(|error| Refusal::NoCapacity(error.to_string()))?;
        self.free.retain(|free| *free != port);
        Ok(opened)
    }

    fn open_at(&mut self, key: MemberKey, settings: Settings, port: u16) -> Result<SocketAddr, RtpError> {
        let address = SocketAddr::new(self.address, port);
        let track = Arc::new(Mutex::new(Track::new(settings)));
        let bound = Port::bind(address, Arc::clone(&track))?;
        let id = self.readers.add(Arc::new(bound.with_control()))?;
        self.open.insert(key, Open { track, id, port });
        Ok(SocketAddr::new(self.announced, port))
    }

    /// Returns whose tracks have got something.
    pub(super) fn heard(&self) -> BTreeSet<MemberKey> {
        let is_heard = |open: &Open| lock(&open.track).stats().received > 0;
        self.open.iter().filter(|(_, open)| is_heard(open)).map(|(key, _)| *key).collect()
    }

    /// Returns somebody's track.
    pub(super) fn get(&self, key: MemberKey) -> Option<Arc<Mutex<Track>>> {
        self.open.get(&key).map(|open| Arc::clone(&open.track))
    }

    /// Closes a track. Its port is free for others when nothing has come for a while: whoever goes on sending to it
    /// must not be heard in another's call.
    pub(super) fn close(&mut self, key: MemberKey) {
        if let Some(open) = self.open.remove(&key) {
            let received = lock(&open.track).stats().received;
            self.closing.push(Closing { open, received, quiet_since: Instant::now() });
        }
    }

    /// Frees ports of closed tracks that nothing has come to for so long.
    pub(super) fn sweep(&mut self, quiet: Duration) {
        let now = Instant::now();
        let is_quiet = |closing: &mut Closing| {
            let received = lock(&closing.open.track).stats().received;
            if std::mem::replace(&mut closing.received, received) != received {
                closing.quiet_since = now;
            }
            now.duration_since(closing.quiet_since) >= quiet
        };
        for Closing { open: Open { id, port, .. }, .. } in self.closing.extract_if(.., is_quiet) {
            self.readers.remove(id);
            // One of before may be of another range.
            if self.range.contains(&port) {
                self.free.push_back(port);
            }
        }
    }
}
