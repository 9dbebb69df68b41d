//! What becomes of samples: LAME's frames, or the samples themselves, written to a file in large pieces.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;

use anyhow::Context;
use gst::prelude::*;

use crate::workload::Output;

/// Bytes of one `write`.
const PIECE: usize = 64 * 1024;

/// An encoder and its file.
pub(crate) enum Encoder {
    Wav { file: File, bytes: Vec<u8> },
    Mp3 { lame: Lame, samples: Vec<i16>, n_push: usize },
}

/// LAME, with a pad before it to push into and one behind it that writes.
pub(crate) struct Lame {
    element: gst::Element,
    src: gst::Pad,
    sink: gst::Pad,
}

impl Encoder {
    /// Returns an encoder into a file; LAME gets `n_push` samples at a time.
    pub(crate) fn create(output: Output, path: &Path, n_push: usize) -> anyhow::Result<Self> {
        let file = File::create(path).with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(match output {
            Output::Wav { .. } => Self::Wav { file, bytes: Vec::with_capacity(2 * PIECE) },
            Output::Mp3 => Self::Mp3 { lame: Lame::start(file)?, samples: Vec::new(), n_push },
        })
    }

    pub(crate) fn encode(&mut self, frame: &[i16]) -> anyhow::Result<()> {
        match self {
            Self::Wav { file, bytes } => {
                bytes.extend(frame.iter().flat_map(|sample| sample.to_le_bytes()));
                if bytes.len() >= PIECE {
                    file.write_all(bytes)?;
                    bytes.clear();
                }
            }
            Self::Mp3 { lame, samples, n_push } => {
                samples.extend_from_slice(frame);
                if samples.len() >= *n_push {
                    lame.push(samples)?;
                    samples.clear();
                }
            }
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Wav { mut file, bytes } => file.write_all(&bytes)?,
            Self::Mp3 { lame, samples, .. } => {
                lame.push(&samples)?;
                lame.src.push_event(gst::event::Eos::new());
            }
        }
        Ok(())
    }
}

impl Lame {
    fn start(file: File) -> anyhow::Result<Self> {
        let element = gst::ElementFactory::make("lamemp3enc")
            .property_from_str("target", "bitrate")
            .property("bitrate", 48i32)
            .property("cbr", true)
            .property_from_str("encoding-engine-quality", "fast")
            .build()?;
        let written = Arc::new(Mutex::new((file, Vec::with_capacity(2 * PIECE))));
        let src = gst::Pad::builder(gst::PadDirection::Src).build();
        let sink = gst::Pad::builder(gst::PadDirection::Sink)
            .chain_function(move |_, _, buffer| {
                let (file, bytes) = &mut *written.lock().unwrap();
                let map = buffer.map_readable().map_err(|_| gst::FlowError::Error)?;
                bytes.extend_from_slice(&map);
                if bytes.len() >= PIECE {
                    file.write_all(bytes).map_err(|_| gst::FlowError::Error)?;
                    bytes.clear();
                }
                Ok(gst::FlowSuccess::Ok)
            })
            .event_function(|_, _, _| true)
            .build();
        src.link(&element.static_pad("sink").context("an encoder without a sink pad")?)?;
        element.static_pad("src").context("an encoder without a src pad")?.link(&sink)?;
        [&src, &sink].into_iter().try_for_each(|pad| pad.set_active(true))?;
        element.set_state(gst::State::Playing)?;
        let caps = gst::Caps::builder("audio/x-raw")
            .field("format", "S16LE")
            .field("layout", "interleaved")
            .field("rate", 16_000i32)
            .field("channels", 1i32)
            .build();
        src.push_event(gst::event::StreamStart::new("floor"));
        src.push_event(gst::event::Caps::new(&caps));
        src.push_event(gst::event::Segment::new(&gst::FormattedSegment::<gst::ClockTime>::new()));
        Ok(Self { element, src, sink })
    }

    fn push(&self, samples: &[i16]) -> anyhow::Result<()> {
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        self.src.push(gst::Buffer::from_mut_slice(bytes))?;
        Ok(())
    }
}

impl Drop for Lame {
    fn drop(&mut self) {
        let _ = self.element.set_state(gst::State::Null);
        [&self.src, &self.sink].into_iter().for_each(|pad| drop(pad.set_active(false)));
    }
}
