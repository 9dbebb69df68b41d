//! Opens what participants are heard by: files, captures, sockets.

use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::Context;
use anyhow::ensure;

use crate::cli::record::Args;
use crate::cli::record::time_of;
use crate::cli::values::MediaSource;
use crate::cli::values::ParticipantSource;
use crate::engine::PacketTrack;
use crate::engine::Participant;
use crate::engine::Source;
use crate::ingest::capture::PacketSource;
use crate::ingest::capture::Select;
use crate::ingest::file::FileTrack;
use crate::ingest::rtp::Port;
use crate::ingest::rtp::Query;
use crate::ingest::rtp::Readers;
use crate::media::Codec;
use crate::media::DYNAMIC_MIN;
use crate::media::Settings;
use crate::media::Track;

/// Captures of one call begin together. Those that are further apart are two calls, and only who records them knows how
/// they belong together.
const APART_MAX_NS: i64 = 24 * 3_600 * 1_000_000_000;

/// What was opened.
pub(super) struct Sources {
    pub(super) participants: Vec<Participant>,
    /// The sockets are read as long as it is there.
    pub(super) _readers: Option<Readers>,
    /// Somebody's media comes now.
    pub(super) is_live: bool,
}

/// What was opened for one participant.
enum Opened {
    Ready(Source),
    Captured(Box<PacketSource>, Settings),
}

/// Opens everybody's source.
pub(super) fn open(args: &Args) -> anyhow::Result<Sources> {
    let mut ports = Vec::new();
    let mut opened = Vec::new();
    for ParticipantSource { name, source } in &args.participants {
        let what = || format!("{} (of \"{name}\")", text_of(source));
        opened.push(match source {
            MediaSource::File(file) => {
                let track = FileTrack::open(file).with_context(what)?;
                Opened::Ready(Source::Pulled(Box::new(track)))
            }
            MediaSource::Capture(path, query) => open_capture(path, query).with_context(what)?,
            MediaSource::Rtp(url) => {
                let track = Arc::new(Mutex::new(Track::new(url.settings)));
                ports.push(Port::bind(url.address, Arc::clone(&track)).with_context(what)?);
                Opened::Ready(Source::Live(track))
            }
        });
    }
    let is_live = !ports.is_empty();
    let readers = is_live.then(|| Readers::start(1)).transpose()?;
    for (port, readers) in ports.into_iter().zip(readers.iter().cycle()) {
        readers.add(Arc::new(port.with_control()))?;
    }
    let zero_ns = common_zero_ns(args, &opened)?;
    let participant = |(ParticipantSource { name, .. }, opened): (&ParticipantSource, Opened)| {
        let join = time_of(&args.joins, name);
        let source = match opened {
            Opened::Ready(source) => source,
            Opened::Captured(packets, settings) => {
                let zero_ns = if join.is_some() { packets.first_at_ns() } else { zero_ns };
                let track = Arc::new(Mutex::new(Track::new(settings)));
                Source::Pulled(Box::new(PacketTrack::new(track, zero_ns, *packets)))
            }
        };
        Participant {
            name: name.clone(),
            source,
            join: join.unwrap_or(Duration::ZERO),
            leave: time_of(&args.leaves, name),
            pin: args.pins.iter().find(|pin| pin.name == *name).map(|pin| pin.channel),
        }
    };
    let participants = args.participants.iter().zip(opened).map(participant).collect();
    Ok(Sources { participants, _readers: readers, is_live })
}

fn text_of(source: &MediaSource) -> String {
    match source {
        MediaSource::File(path) | MediaSource::Capture(path, _) => path.display().to_string(),
        MediaSource::Rtp(url) => format!("rtp://{}", url.address),
    }
}

fn open_capture(path: &Path, query: &Query) -> anyhow::Result<Opened> {
    let select = match (query.ssrc, query.port) {
        (Some(ssrc), None) => Select::Ssrc(ssrc),
        (None, Some(port)) => Select::Port(port),
        // The track takes only that SSRC of what the port got.
        (Some(ssrc), Some(port)) => Select::Both { ssrc, port },
        (None, None) => Select::Only,
    };
    let packets = PacketSource::open(path, select)?;
    // Static payload types say what they are, and so do keys that are pressed beside them.
    let telephony = query.settings(Some(Codec::Pcmu))?;
    let is_known = |payload_type: &u8| *payload_type < DYNAMIC_MIN || telephony.payloads.has(*payload_type);
    let settings = if packets.payload_types().iter().all(is_known) { telephony } else { query.settings(None)? };
    Ok(Opened::Captured(Box::new(packets), settings))
}

/// Returns when the recording of captures begins: with the first of them, but for those that join at a given time.
fn common_zero_ns(args: &Args, opened: &[Opened]) -> anyhow::Result<i64> {
    let begins = args.participants.iter().zip(opened).filter_map(|(participant, opened)| match opened {
        Opened::Captured(packets, _) if time_of(&args.joins, &participant.name).is_none() => {
            Some(packets.first_at_ns())
        }
        _ => None,
    });
    let begins: Vec<i64> = begins.collect();
    let (first, last) = (begins.iter().min().copied().unwrap_or(0), begins.iter().max().copied().unwrap_or(0));
    ensure!(
        last.saturating_sub(first) <= APART_MAX_NS,
        "captures that begin more than a day apart are no call; say with --join when each joins"
    );
    Ok(first)
}
