//! `reelgraph send`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::builder::{OsStringValueParser, TypedValueParser};

use crate::cli::Exit;
use crate::cli::output;
use crate::cli::send_print;
use crate::cli::send_values;
use crate::cli::stop::stop_signal;
use crate::cli::values::time_value;
use crate::send;
use crate::send::CAPTURE_PORT_DEFAULT;
use crate::send::Codec;
use crate::send::Destination;
use crate::send::Impairments;
use crate::send::Media;
use crate::send::Request;
use crate::send::SEED_DEFAULT;
use crate::send::STREAMS_MAX;
use crate::send::SendError;
use crate::send::Target;

/// Arguments of `send`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Media file whose sound is sent, mixed down to one channel
    file: Option<PathBuf>,
    /// Where to: rtp://HOST:PORT in real time, or a capture NAME.pcap at once
    #[arg(long, value_name = "TARGET", value_parser = target_parser())]
    to: Target,
    /// How it is sent
    #[arg(long, value_enum)]
    codec: Option<CodecArg>,
    /// Send numbered frames in PCMU, without end, in place of a file
    #[arg(long)]
    serial: bool,
    /// Share of packets that are lost
    #[arg(long, value_name = "SHARE", default_value = "0%", value_parser = send_values::share)]
    loss: f64,
    /// Mean number of packets that are lost one behind the other; else each by itself
    #[arg(long, value_name = "PACKETS", value_parser = send_values::burst)]
    burst_loss: Option<f64>,
    /// Longest delay of a packet
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = send_values::jitter)]
    jitter: u64,
    /// Share of packets that later ones overtake
    #[arg(long, value_name = "SHARE", default_value = "0%", value_parser = send_values::share)]
    reorder: f64,
    /// How fast the sender's clock is; less than nothing is slow
    #[arg(long, value_name = "SKEW", default_value = "0ppm", value_parser = send_values::skew)]
    #[arg(allow_hyphen_values = true)]
    skew: i64,
    /// Do not send silence
    #[arg(long)]
    dtx: bool,
    /// Seed of all that is left to chance
    #[arg(long, value_name = "N", default_value_t = SEED_DEFAULT)]
    seed: u64,
    /// How much media is sent; else all
    #[arg(long, value_name = "TIME", value_parser = time_value)]
    duration: Option<Duration>,
    /// Begin again after the end of the file
    #[arg(long = "loop")]
    repeats: bool,
    /// When the media begins
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = time_value)]
    start: Duration,
    /// Send it so many times, to every second port
    #[arg(long, value_name = "N", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=STREAMS_MAX as i64))]
    streams: u16,
    /// SSRC of the first stream, from which the others count on; else by chance
    #[arg(long, value_name = "SSRC", value_parser = send_values::ssrc)]
    ssrc: Option<u32>,
    /// Payload type in place of the codec's own
    #[arg(long, value_name = "N", value_parser = send_values::payload_type)]
    payload_type: Option<u8>,
    /// Send reports to the port of the packets, not to the next one
    #[arg(long)]
    rtcp_mux: bool,
    /// Port that packets of a capture go to (5004)
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    capture_port: Option<u16>,
    /// Append a line per numbered packet that was sent: number, monotonic nanoseconds
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Print one JSON document instead of text
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum CodecArg {
    /// 24 kbit/s, mono
    Opus,
    /// G.711 µ-law
    Pcmu,
    /// G.711 A-law
    Pcma,
    /// 64 kbit/s
    G722,
    /// 16 bits, 16 kHz
    L16,
}

impl From<CodecArg> for Codec {
    fn from(codec: CodecArg) -> Self {
        match codec {
            CodecArg::Opus => Self::Opus,
            CodecArg::Pcmu => Self::Pcmu,
            CodecArg::Pcma => Self::Pcma,
            CodecArg::G722 => Self::G722,
            CodecArg::L16 => Self::L16,
        }
    }
}

/// Names of files are bytes, whatever they mean.
fn target_parser() -> impl TypedValueParser<Value = Target> {
    OsStringValueParser::new().try_map(|text: OsString| Target::parse(&text))
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let request = match request(&args) {
        Ok(request) => request,
        Err(error) => {
            output::tell(error);
            return Ok(Exit::Usage);
        }
    };
    let stop = stop_signal().context("signals cannot be watched")?;
    let sent = match send::run(&request, || !stop.load(Ordering::Relaxed)) {
        Err(error @ SendError::BadAddress { .. }) => {
            output::tell(error);
            return Ok(Exit::Usage);
        }
        sent => sent.context("failed to send")?,
    };
    if args.json {
        output::result(send_print::json(&sent))?;
    } else {
        send_print::text(&sent)?;
    }
    Ok(Exit::Done)
}

/// Checks what options mean together, and makes a request of them.
fn request(args: &Args) -> anyhow::Result<Request> {
    let is_live = matches!(args.to, Target::Live { .. });
    let media = media(args)?;
    ensure!(args.duration.is_none_or(|duration| !duration.is_zero()), "--duration must be longer than 0");
    let is_endless = (args.serial || args.repeats) && args.duration.is_none();
    ensure!(is_live || !is_endless, "a capture needs an end: give --duration");
    ensure!(is_live || args.log.is_none(), "--log tells when packets were sent live; a capture has its own times");
    ensure!(args.log.is_none() || args.serial, "--log tells numbers of frames: it needs --serial");
    ensure!(args.log.is_none() || args.streams == 1, "--log is of one stream, not of {}", args.streams);
    ensure!(args.capture_port.is_none() || !is_live, "--capture-port is for captures; write the port behind the host");
    if let Some(burst) = args.burst_loss {
        let most = Impairments::loss_max(burst);
        ensure!(args.loss > 0.0, "--burst-loss needs --loss: how many packets are lost in all");
        ensure!(
            args.loss <= most,
            "bursts of {burst} packets with one between them make a --loss of {:.1}% at most",
            most * 100.0
        );
    }
    let to = match &args.to {
        Target::Live { host, port } => Destination::Live { host: host.clone(), port: *port },
        Target::Capture(path) => {
            Destination::Capture { path: path.clone(), port: args.capture_port.unwrap_or(CAPTURE_PORT_DEFAULT) }
        }
    };
    let (Destination::Live { port, .. } | Destination::Capture { port, .. }) = to;
    let last = u32::from(port) + 2 * u32::from(args.streams) - 1 - u32::from(args.rtcp_mux);
    ensure!(last <= 65_535, "the last of {} --streams would need port {last}; choose a lower port", args.streams);
    Ok(Request {
        media,
        to,
        impairments: Impairments {
            loss: args.loss,
            burst: args.burst_loss,
            jitter_ns: args.jitter,
            reorder: args.reorder,
        },
        skew_ppb: args.skew,
        seed: args.seed,
        duration: args.duration,
        start: args.start,
        n_streams: usize::from(args.streams),
        ssrc: args.ssrc,
        payload_type: args.payload_type,
        rtcp_mux: args.rtcp_mux,
        log: args.log.clone(),
    })
}

fn media(args: &Args) -> anyhow::Result<Media> {
    let Some(path) = &args.file else {
        ensure!(args.serial, "give a media file, or --serial");
        ensure!(args.codec.is_none_or(|codec| codec == CodecArg::Pcmu), "--serial is PCMU; leave --codec out");
        ensure!(!args.dtx, "--dtx needs a media file: numbered frames are never silent");
        ensure!(!args.repeats, "--loop needs a media file: numbered frames have no end");
        return Ok(Media::Serial);
    };
    ensure!(!args.serial, "--serial takes the place of a media file: leave one of them out");
    let codec = args.codec.context("give --codec: opus, pcmu, pcma, g722 or l16")?;
    Ok(Media::File { path: path.clone(), codec: codec.into(), dtx: args.dtx, repeats: args.repeats })
}
