//! The same call recorded by GStreamer's own elements, as its documentation would have it: so many pipelines in a
//! process of their own, live.

use std::io::BufRead;
use std::path::Path;
use std::time::Duration;
use std::time::Instant;

use anyhow::Context;
use gst::prelude::*;
use reelgraph::media::Codec;
use serde_json::json;

use crate::child::say;
use crate::process::Used;
use crate::workload::Output;
use crate::workload::Workload;

/// Longest wait for the end of all pipelines.
const END: Duration = Duration::from_secs(20);

/// Returns the launch line of one recording.
pub(crate) fn launch_line(workload: Workload, port: u16, file: &Path) -> String {
    let (caps, decode) = match workload.codec {
        Codec::Opus => ("encoding-name=OPUS,payload=111,clock-rate=48000", "rtpopusdepay ! opusdec"),
        _ => ("encoding-name=PCMU,payload=0,clock-rate=8000", "rtppcmudepay ! mulawdec"),
    };
    let file = file.display();
    let (join, tail) = match workload.output {
        Output::Mp3 => (
            "audiomixer name=mix",
            "lamemp3enc target=bitrate bitrate=48 cbr=true encoding-engine-quality=fast".to_owned(),
        ),
        Output::Wav { channels: 1 } => ("audiomixer name=mix", "wavenc".to_owned()),
        Output::Wav { .. } => ("interleave name=mix", "wavenc".to_owned()),
    };
    let channels = match workload.output {
        Output::Wav { channels } => channels,
        Output::Mp3 => 1,
    };
    // Without caps the mixer takes the first rate and layout that the encoder has.
    let caps_behind = format!("audio/x-raw,format=S16LE,rate=16000,channels={channels}");
    let mut line = format!("{join} ! {caps_behind} ! {tail} ! filesink location={file}");
    for party in 0..workload.parties {
        let port = usize::from(port) + 2 * party;
        line += &format!(
            " udpsrc address=127.0.0.1 port={port} buffer-size=4194304 caps=\"application/x-rtp,media=audio,{caps}\" \
             ! rtpjitterbuffer latency=100 ! {decode} ! audioconvert ! audioresample \
             ! audio/x-raw,format=S16LE,rate=16000,channels=1 ! mix."
        );
    }
    line
}

/// Records `n` calls that come to `port` and the ports after it, until told to stop.
pub(crate) fn run(workload: Workload, n: usize, port: u16, dir: &Path) -> anyhow::Result<()> {
    let empty_bytes = Used::by(&[std::process::id()]).resident_bytes;
    let file = |index: usize| dir.join(format!("{index:04}.{}", workload.output.extension()));
    let mut pipelines = Vec::new();
    for index in 0..n {
        let port = port + (2 * workload.parties * index) as u16;
        let pipeline = start(&launch_line(workload, port, &file(index)))?;
        pipelines.push((Instant::now(), pipeline));
    }
    say(&json!({ "recordings": n, "refused": 0, "emptyBytes": empty_bytes }));
    for line in std::io::stdin().lock().lines() {
        match line?.as_str() {
            "mark" => say(&json!({})),
            _ => break,
        }
    }
    let stopped = Instant::now();
    let recorded: Duration = pipelines.iter().map(|(begun, _)| stopped.duration_since(*begun)).sum();
    for (_, pipeline) in &pipelines {
        pipeline.send_event(gst::event::Eos::new());
    }
    let mut n_failed = 0;
    for (_, pipeline) in &pipelines {
        let left = gst::ClockTime::try_from(END.saturating_sub(stopped.elapsed())).unwrap_or_default();
        let kinds = [gst::MessageType::Eos, gst::MessageType::Error];
        let said = pipeline.bus().and_then(|bus| bus.timed_pop_filtered(left, &kinds));
        n_failed += usize::from(!said.as_ref().is_some_and(|message| message.type_() == gst::MessageType::Eos));
        if let Some(gst::MessageView::Error(error)) = said.as_ref().map(|message| message.view()) {
            eprintln!("  stock GStreamer: {}: {:?}", error.error(), error.debug());
        }
    }
    pipelines.iter().try_for_each(|(_, pipeline)| pipeline.set_state(gst::State::Null).map(drop))?;
    let bytes: u64 = (0..n).map(|index| std::fs::metadata(file(index)).map_or(0, |metadata| metadata.len())).sum();
    say(&json!({ "ended": n - n_failed, "bytes": bytes, "recordedNs": recorded.as_nanos() as u64 }));
    Ok(())
}

fn start(line: &str) -> anyhow::Result<gst::Pipeline> {
    #[expect(clippy::disallowed_methods, reason = "the line is what is measured, and is printed as it is run")]
    let element = gst::parse::launch(line).context("the stock graph cannot be made")?;
    let pipeline = element.downcast::<gst::Pipeline>().ok().context("the stock graph is no pipeline")?;
    pipeline.set_state(gst::State::Playing).context("the stock graph does not play")?;
    Ok(pipeline)
}
