//! One stream of the several that carry the same media: its numbers, and the network that it goes through.

use crate::send::impair::Impairments;
use crate::send::impair::Network;
use crate::send::random::Random;

/// Phases lie on a lattice of this many nanoseconds, so that a thousand streams are due in twenty batches a frame, and
/// each of their packets is sent at its own time all the same.
const PHASE_STEP_NS: u64 = 1_000_000;

/// Steps of phase in a frame of 20 ms.
const PHASE_STEPS: u64 = 20;

/// What a stream's packets bear, and when they are sent against those of the first stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Its SSRC.
    pub ssrc: u32,
    /// Sequence number of its first packet.
    pub first_sequence: u16,
    /// Time-stamp of tick 0 of the media.
    pub first_timestamp: u32,
    /// How much later than the formula says all of it is sent, in nanoseconds; 0 for the first stream.
    pub phase_ns: u64,
}

/// What a sender report counts (RFC 3550 §6.4.1): what was sent, whatever the network lost of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Packets.
    pub(super) packets: u64,
    /// Bytes of payload.
    pub(super) octets: u64,
}

/// A stream on its way.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) identity: Identity,
    pub(super) network: Network,
    pub(super) counts: Counts,
    /// When the last of its packets arrives.
    pub(super) arrived_ns: u64,
}

impl Stream {
    /// Returns the `index`-th stream of a seed. A given SSRC is counted on from stream to stream.
    pub(super) fn new(seed: u64, index: usize, ssrc: Option<u32>, impairments: Impairments) -> Self {
        let mut random = Random::of_stream(seed, index as u64);
        let (drawn, numbers, phase) = (random.next() as u32, random.next(), random.below(PHASE_STEPS));
        let identity = Identity {
            ssrc: ssrc.map_or(drawn, |first| first.wrapping_add(index as u32)),
            first_sequence: numbers as u16,
            first_timestamp: (numbers >> 32) as u32,
            phase_ns: if index == 0 { 0 } else { phase * PHASE_STEP_NS },
        };
        let network = Network::new(impairments, random.next());
        Self { identity, network, counts: Counts::default(), arrived_ns: 0 }
    }
}
