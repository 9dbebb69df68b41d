//! What was found in a file before its first frame, and what it means when none comes. Pure but for one question to
//! GStreamer's registry.

use crate::ingest::file::error::FileError;
use crate::ingest::file::report::Report;
use crate::ingest::file::track_caps::CHANNELS_MAX;
use gst::glib;

/// Formats without silence suppression: every page or frame follows on the one before it.
const GAPLESS: [&str; 3] = ["audio/x-flac", "audio/ogg", "application/ogg"];

/// What was told before the first frame.
#[derive(Debug, Default)]
pub(super) struct Findings {
    kind: Option<gst::Caps>,
    has_audio: bool,
    has_other: bool,
    no_decoder: Option<gst::Caps>,
    description: Option<String>,
}

impl Findings {
    /// Notes what was reported.
    ///
    /// # Errors
    /// Where nothing more can follow.
    pub(super) fn note(&mut self, report: Report) -> Result<(), FileError> {
        match report {
            Report::Kind(caps) => self.kind = Some(caps),
            Report::DeadEnd(caps) => return Err(dead_end(caps)),
            Report::Audio => self.has_audio = true,
            Report::Other => self.has_other = true,
            Report::TooManyChannels(found) => return Err(FileError::TooManyChannels { found, max: CHANNELS_MAX }),
            Report::NoDecoder(caps) => self.no_decoder = Some(caps),
            Report::Missing { description } => self.description = Some(description),
            Report::Sample | Report::End | Report::InputEnd | Report::Failed { .. } => {}
        }
        Ok(())
    }

    /// Returns whether time never jumps in such a file, unless a part of it cannot be read.
    pub(super) fn is_gapless(&self) -> bool {
        self.kind.as_ref().is_some_and(|kind| GAPLESS.contains(&name(kind).as_str()))
    }

    /// Returns what it means that the file ended without a frame.
    pub(super) fn at_end(self) -> FileError {
        match self.has_audio {
            true => FileError::NoSamples,
            false => self.without_audio(None),
        }
    }

    /// Returns what it means that an element gave up before a frame.
    pub(super) fn at_failure(self, source: glib::Error) -> FileError {
        match self.no_decoder {
            Some(caps) => not_installed(caps, self.description),
            None => self.without_audio(Some(source)),
        }
    }

    fn without_audio(self, source: Option<glib::Error>) -> FileError {
        match self.kind {
            None => FileError::NotMedia { found: None },
            Some(_) if self.has_other && !self.has_audio => FileError::NoAudio,
            Some(kind) => FileError::BadHeader { kind: name(&kind), cause: source },
        }
    }
}

/// Returns what it means that no demuxer and no audio decoder goes on with a file's bytes.
fn dead_end(caps: gst::Caps) -> FileError {
    let name = name(&caps);
    if !name.starts_with("video/") {
        return FileError::NotMedia { found: Some(name) };
    }
    let decodable = gst::ElementFactory::factories_with_type(gst::ElementFactoryType::DECODABLE, gst::Rank::MARGINAL);
    match decodable.iter().any(|factory| factory.can_sink_any_caps(&caps)) {
        true => FileError::NoAudio,
        false => not_installed(caps, None),
    }
}

fn not_installed(caps: gst::Caps, description: Option<String>) -> FileError {
    let name = name(&caps);
    let package = match name.as_str() {
        "audio/x-opus" | "audio/x-vorbis" => "gstreamer1.0-plugins-base",
        "audio/x-flac" | "audio/x-speex" | "audio/x-mulaw" | "audio/x-alaw" | "audio/x-wavpack" => {
            "gstreamer1.0-plugins-good"
        }
        "video/x-ms-asf" | "audio/AMR" | "audio/AMR-WB" => "gstreamer1.0-plugins-ugly",
        _ if name.starts_with("video/") => "gstreamer1.0-plugins-bad",
        _ => "gstreamer1.0-libav",
    };
    let description = description.unwrap_or_else(|| format!("an element for {name}"));
    FileError::NotInstalled { description, caps, package }
}

fn name(caps: &gst::Caps) -> String {
    caps.structure(0).map(|s| s.name().to_string()).unwrap_or_default()
}
