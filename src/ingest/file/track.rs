//! One file as a track: waits for its pipeline, judges its end.

use crate::engine::{Frame, Pulled, Track, TrackError};
use crate::ingest::file::chain::Chain;
use crate::ingest::file::error::FileError;
use crate::ingest::file::findings::Findings;
use crate::ingest::file::framer::Framer;
use crate::ingest::file::gapless;
use crate::ingest::file::gapless::Gapless;
use crate::ingest::file::promise;
use crate::ingest::file::promise::Promise;
use crate::ingest::file::report::Report;
use gst::ClockTime;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;
use std::time::Instant;

/// How long a frame is waited for: storage may have to wake up, a decoder has nothing to wait for.
const FRAME_DEADLINE: Duration = Duration::from_secs(10);

/// Media that is missing by less than this is no loss: encoders' padding, and last frames without a duration.
const MISSING_MIN: ClockTime = ClockTime::from_mseconds(500);

/// Holes that are told of one file: who has read ten knows.
const HOLES_TOLD_MAX: u32 = 10;

/// A media file's first audio stream, pulled frame by frame. Needs `gst::init`.
///
/// Holds one thread, and a bounded number of buffers. Dropping it stops the pipeline without waiting for it.
pub struct FileTrack {
    chain: Chain,
    framer: Framer,
    /// Where the encoder's silence is to be taken out.
    gapless: Option<Gapless>,
    declared: Option<ClockTime>,
    promise: Promise,
    has_ended: bool,
    /// Holes that may still be told: none in files where silence is not written.
    holes_to_tell: u32,
    /// The frame behind a hole that has just been told.
    held: Option<Frame>,
    /// Media time after the last frame that was given out.
    given: ClockTime,
}

impl FileTrack {
    /// Opens a file and waits for its first frame, at most 10 s, so that a bad file is told at once.
    ///
    /// The name may be any bytes; it is never part of a URI or a launch line. Blocks: not for an async thread.
    ///
    /// # Errors
    /// All but [`FileError::Truncated`], [`FileError::Decode`] only where not one frame came.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let (promise, gapless) = check(path)?;
        let chain = Chain::start(path)?;
        let mut findings = Findings::default();
        let until = Instant::now() + FRAME_DEADLINE;
        loop {
            match wait(&chain, until, ClockTime::ZERO)? {
                Report::Sample => break,
                Report::End | Report::InputEnd => return Err(findings.at_end()),
                Report::Failed { source, .. } => return Err(findings.at_failure(source)),
                report => findings.note(report)?,
            }
        }
        let declared = promise.declared().or_else(|| chain.duration());
        let mut track = Self {
            framer: Framer::new(declared),
            gapless,
            chain,
            declared,
            promise,
            has_ended: false,
            holes_to_tell: if findings.is_gapless() { HOLES_TOLD_MAX } else { 0 },
            held: None,
            given: ClockTime::ZERO,
        };
        track.pull();
        track.fill(until)?;
        match track.framer.is_ready() {
            true => Ok(track),
            false => Err(FileError::NoSamples),
        }
    }

    /// Returns what the frames are: `audio/x-opus`, `audio/x-mulaw`, `audio/x-alaw`, `audio/G722`, or `audio/x-raw` as
    /// interleaved S16LE, always with one or two channels. A later frame's caps may differ.
    pub fn caps(&self) -> &gst::Caps {
        self.framer.caps()
    }

    /// Returns the length that the file declares, which may be an estimate or a lie. A header that promises more than
    /// the file holds is believed here, so that progress is measured against what was meant.
    pub fn declared_duration(&self) -> Option<ClockTime> {
        self.declared
    }

    /// Returns the next frame, or `None` at the end, also every time after an error. Blocks 10 s at most.
    ///
    /// # Errors
    /// Each at most once, after all frames before it: [`FileError::Truncated`], [`FileError::Decode`],
    /// [`FileError::Stalled`]. Between two frames: [`FileError::Hole`].
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FileError> {
        let frame = match self.held.take() {
            Some(frame) => frame,
            None => {
                self.fill(Instant::now() + FRAME_DEADLINE)?;
                let Some(frame) = self.framer.take() else { return Ok(None) };
                let pts = frame.buffer.pts().unwrap_or_default();
                if self.holes_to_tell > 0 && frame.buffer.flags().contains(gst::BufferFlags::DISCONT) {
                    self.holes_to_tell -= 1;
                    self.held = Some(frame);
                    return Err(FileError::Hole { from: self.given, to: pts, is_last_told: self.holes_to_tell == 0 });
                }
                frame
            }
        };
        self.given = frame.buffer.pts().unwrap_or_default() + frame.buffer.duration().unwrap_or_default();
        Ok(Some(frame))
    }

    /// Waits until a frame is ready or none will be.
    fn fill(&mut self, until: Instant) -> Result<(), FileError> {
        while !self.framer.is_ready() && !self.has_ended {
            match wait(&self.chain, until, self.framer.position()).inspect_err(|_| self.has_ended = true)? {
                Report::Sample => self.pull(),
                Report::End | Report::InputEnd => {
                    self.has_ended = true;
                    self.judge_end()?;
                }
                Report::Failed { element, source } => {
                    self.has_ended = true;
                    return Err(FileError::Decode { at: self.framer.position(), element, cause: source });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Takes in the sample that was reported.
    fn pull(&mut self) {
        let Some(sample) = self.chain.sink.try_pull_sample(ClockTime::ZERO) else { return };
        let (Some(buffer), Some(caps)) = (sample.buffer_owned(), sample.caps_owned()) else { return };
        let segment = sample.segment().and_then(|segment| segment.downcast_ref::<ClockTime>());
        let start = segment.and_then(|segment| segment.start()).unwrap_or_default();
        let lead = buffer.pts().map_or(ClockTime::ZERO, |pts| start.saturating_sub(pts));
        let is_raw = caps.structure(0).is_some_and(|s| s.name() == "audio/x-raw");
        let buffer = match &mut self.gapless {
            Some(gapless) if is_raw => gapless.cut(buffer, &caps),
            _ => Some(buffer),
        };
        if let Some(buffer) = buffer {
            self.framer.put(buffer, caps, lead);
        }
    }

    /// Compares what was there with what should have been.
    fn judge_end(&self) -> Result<(), FileError> {
        let delivered = self.framer.position();
        match self.promise {
            Promise::Kept => Ok(()),
            Promise::Short { declared } => Err(FileError::Truncated { declared: Some(declared), delivered }),
            Promise::WithoutEnd => Err(FileError::Truncated { declared: None, delivered }),
            Promise::None => match self.missing_from(delivered.max(self.chain.reached())) {
                Some(declared) => Err(FileError::Truncated { declared: Some(declared), delivered }),
                None => Ok(()),
            },
        }
    }

    /// Returns the declared length if the media ends well before it. What is not the same now as it was at the start is
    /// an estimate, not a declaration.
    fn missing_from(&self, end: ClockTime) -> Option<ClockTime> {
        let declared = self.declared?;
        let is_missing =
            end.saturating_add(MISSING_MIN) < declared && self.chain.duration().is_none_or(|now| now == declared);
        is_missing.then_some(declared)
    }
}

/// Refuses what can be refused without a pipeline, and reads what the file says of its end and of its sound.
fn check(path: &Path) -> Result<(Promise, Option<Gapless>), FileError> {
    let unreadable = |cause: io::Error| match cause.kind() {
        io::ErrorKind::NotFound => FileError::NotFound,
        _ => FileError::Unreadable { cause },
    };
    // Before anything is opened: to open a pipe is to wait for its writer.
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(FileError::Directory);
    }
    if !metadata.is_file() {
        return Err(FileError::NotRegular);
    }
    if metadata.len() == 0 {
        return Err(FileError::Empty);
    }
    let mut file = fs::File::open(path).map_err(unreadable)?;
    let promise = promise::read(&mut file).map_err(unreadable)?;
    Ok((promise, gapless::read(&mut file).map_err(unreadable)?))
}

/// Waits for the next report.
fn wait(chain: &Chain, until: Instant, delivered: ClockTime) -> Result<Report, FileError> {
    let left = until.saturating_duration_since(Instant::now());
    let stalled = FileError::Stalled { waited: FRAME_DEADLINE, delivered };
    match chain.reports.recv_timeout(left) {
        Ok(report) => Ok(report),
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Err(stalled),
    }
}

impl Track for FileTrack {
    /// A file has all of its media at any time: how far it is wanted does not matter.
    fn next_frame(&mut self, _until: Duration) -> Result<Pulled, TrackError> {
        // After any error but a hole there is nothing more, but all that came before it has been given out.
        let fatal = |error: &FileError| !matches!(error, FileError::Hole { .. });
        let next = Self::next_frame(self).map(|frame| frame.map_or(Pulled::End, Pulled::Frame));
        next.map_err(|error| TrackError { text: error.to_string(), fatal: fatal(&error) })
    }

    fn declared_duration(&self) -> Option<Duration> {
        Self::declared_duration(self).map(Duration::from)
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "test media is made by a launch line")]
mod tests {
    use super::*;
    use gst::prelude::*;
    use std::sync::mpsc;

    #[test]
    fn dropped_in_mid_file_nothing_stays() {
        gst::init().expect("GStreamer starts");
        for encoder in ["wavenc", "flacenc", "opusenc ! oggmux"] {
            let file = tempfile::NamedTempFile::new().expect("a temporary file can be made");
            let launch = format!("audiotestsrc num-buffers=1000 ! {encoder} ! filesink name=file");
            let writer = gst::parse::launch(&launch).expect("stock elements are installed");
            let writer = writer.downcast::<gst::Pipeline>().expect("a launch line makes a pipeline");
            writer.by_name("file").expect("it is in the line").set_property("location", file.path());
            writer.set_state(gst::State::Playing).expect("the writer starts");
            let bus = writer.bus().expect("a pipeline has a bus");
            let end = bus.timed_pop_filtered(ClockTime::from_seconds(10), &[gst::MessageType::Eos]);
            assert!(end.is_some(), "{encoder}: the writer ends");
            writer.set_state(gst::State::Null).expect("the writer stops");

            // Its thread waits for room in the sink, or soon will.
            let track = FileTrack::open(file.path()).expect("a healthy file opens");
            let (tell, told) = mpsc::channel();
            let tell_too = tell.clone();
            track.chain.pipeline.add_weak_ref_notify(move || tell.send("pipeline").unwrap_or_default());
            track.chain.sink.add_weak_ref_notify(move || tell_too.send("sink").unwrap_or_default());
            drop(track);
            for _ in 0..2 {
                told.recv_timeout(FRAME_DEADLINE).unwrap_or_else(|_| panic!("{encoder}: something stays"));
            }
        }
    }
}
