//! What was sent: counted where it was sent.

use crate::send::codec::Codec;
use crate::send::stream::Identity;
use crate::send::wire::Delivery;
use crate::send::wire::Zero;

/// A call that was sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// How.
    pub codec: Codec,
    /// The seed of all that was left to chance.
    pub seed: u64,
    /// Time zero.
    pub zero: Zero,
    /// Nanoseconds from time zero to the last goodbye.
    pub ended_ns: u64,
    /// Somebody stopped it before its end.
    pub was_stopped: bool,
    /// How the kernel took it.
    pub delivery: Delivery,
    /// Of numbered frames: the last one that was sent.
    pub last_serial: Option<LastSerial>,
    /// Each stream.
    pub streams: Vec<Sent>,
}

/// A numbered frame that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastSerial {
    /// Its number.
    pub number: u16,
    /// When it was sent, in nanoseconds from time zero.
    pub at_ns: u64,
}

/// What was sent of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// What its packets bear.
    pub identity: Identity,
    /// The port that its packets went to.
    pub port: u16,
    /// RTP packets.
    pub packets: u64,
    /// Their bytes, from the RTP header on.
    pub bytes: u64,
    /// RTP packets that were lost on purpose.
    pub lost: u64,
    /// RTP packets that came behind a later one.
    pub reordered: u64,
    /// RTCP packets.
    pub reports: u64,
    /// The packet that was highest in the order of sending so far.
    pub(super) highest: Option<u64>,
}

impl Sent {
    pub(super) fn new(identity: Identity, port: u16) -> Self {
        Self { identity, port, packets: 0, bytes: 0, lost: 0, reordered: 0, reports: 0, highest: None }
    }

    /// Counts the `index`-th packet.
    pub(super) fn count(&mut self, index: u64, bytes: usize) {
        self.packets += 1;
        self.bytes += bytes as u64;
        if self.highest.is_some_and(|highest| index < highest) {
            self.reordered += 1;
        }
        self.highest = self.highest.max(Some(index));
    }
}
