//! Judges what a killed recording has become: files, samples, metadata.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::course::Course;
use super::metadata::{Finished, between, finished};
use super::source::RATE;
use super::wav::Wav;
use super::{judge, program};

/// Samples of an MP3 frame at 16 kHz.
const FRAME: u64 = 576;

/// How much of a block of a lossy file may be other than its source, against the power of what the encoder sees with
/// it: two frames more on each side. These sweeps at 48 kbit/s measure 0.0036 at most, nearly all of it the 5 % that
/// the encoder takes off the level; one sample off is 0.014 at 300 Hz and more above.
const NOISE_MAX: f64 = 0.01;

/// Samples that are compared at once in lossy files.
const BLOCK: usize = 1_600;

/// A recording whose program is gone.
#[derive(Debug)]
pub(crate) struct Remains<'a> {
    pub(crate) out: &'a Path,
    pub(crate) graph: &'a str,
    pub(crate) course: &'a Course,
    pub(crate) began: jiff::Timestamp,
}

impl Remains<'_> {
    fn extension(&self) -> &str {
        self.graph.rsplit('-').next().unwrap_or_default()
    }

    fn spool(&self) -> PathBuf {
        self.out.join(format!(".reelgraph-{}", self.graph))
    }

    /// Returns the samples that are on the disk right after the kill. Every file must open in ffprobe as it is; only
    /// the last one may have just been begun.
    #[track_caller]
    pub(crate) fn samples_on_disk(&self) -> u64 {
        let ending = format!(".{}", self.extension());
        let mut files: Vec<_> = program::names(self.out).into_iter().map(|name| self.out.join(name)).collect();
        files.extend(program::names(&self.spool()).into_iter().map(|name| self.spool().join(name)));
        files.retain(|file| file.to_string_lossy().ends_with(&ending));
        let samples = files.iter().enumerate().map(|(index, file)| {
            let len = file.metadata().map_or(0, |metadata| metadata.len());
            if len == 0 {
                assert_eq!(index + 1, files.len(), "{}: empty", file.display());
                return 0;
            }
            judge::ffprobe_seconds(file);
            match self.extension() {
                "mp3" => judge::ffprobe_packets(file) * FRAME,
                // Samples may have come after the header was written the last time.
                _ => Wav::read_torn(file).map_or(0, |wav| wav.frames() as u64),
            }
        });
        samples.sum()
    }

    /// Judges the finished files and returns their samples.
    #[track_caller]
    pub(crate) fn check_finished(&self) -> u64 {
        assert!(!self.spool().exists(), "{:?}", program::names(self.out));
        let mut start = 0;
        for file in finished(self.out, self.graph, self.extension()) {
            let len = match self.extension() {
                "mp3" => self.check_mp3(&file, start),
                _ => self.check_wav(&file, start),
            };
            self.check_metadata(&file, start, len);
            start += len;
        }
        start
    }

    fn check_wav(&self, Finished { media, metadata }: &Finished, start: u64) -> u64 {
        let wav = Wav::read(media);
        let len = wav.frames() as u64;
        assert_eq!(judge::soxi(media), [len, u64::from(RATE), wav.channels as u64, 16], "{}", media.display());
        assert_eq!(metadata.audio("channels"), wav.channels as u64);
        assert_eq!(metadata.audio("bitRate"), u64::from(RATE) * 16 * wav.channels as u64);
        if self.graph == "unmixed-wav" {
            for (channel, voice) in self.course.voices.iter().enumerate() {
                let expected = self.course.expected(voice, start, len);
                let is_silent = expected.iter().all(|sample| *sample == 0);
                match channel < wav.channels {
                    true => compare(&wav.channel(channel), &expected, media),
                    false => assert!(is_silent, "{}: {} has no channel", media.display(), voice.name),
                }
            }
        } else {
            assert_eq!(wav.channels, 1);
            compare(&wav.samples, &self.course.mixed(start, len), media);
        }
        len
    }

    fn check_mp3(&self, Finished { media, metadata }: &Finished, start: u64) -> u64 {
        judge::mp3val(media);
        judge::ffprobe_seconds(media);
        let samples = judge::decoded(media);
        assert_eq!(metadata.audio("channels"), 1);
        assert_eq!(metadata.audio("bitRate"), 48_000);
        let expected = self.course.mixed(start, samples.len() as u64);
        for from in (0..samples.len()).step_by(BLOCK) {
            let to = samples.len().min(from + BLOCK);
            let around =
                &expected[from.saturating_sub(2 * FRAME as usize)..expected.len().min(to + 2 * FRAME as usize)];
            let noise = samples[from..to].iter().zip(&expected[from..to]).map(|(a, b)| f64::from(*a) - f64::from(*b));
            let share = power(noise) / power(around.iter().map(|sample| f64::from(*sample))).max(1.0);
            assert!(share < NOISE_MAX, "{}: {share} is noise from sample {from} on", media.display());
        }
        samples.len() as u64
    }

    fn check_metadata(&self, Finished { media, metadata }: &Finished, start: u64, len: u64) {
        let (course, name) = (self.course, media.display());
        let played_ms = (len * 1_000 + u64::from(RATE) / 2) / u64::from(RATE);
        assert_eq!(metadata.duration(), played_ms, "{name}");
        if self.extension() == "wav" {
            let seconds = judge::ffprobe_seconds(media);
            assert!((seconds * 1_000.0 - played_ms as f64).abs() <= 1.0, "{name}: {seconds} s for {played_ms} ms");
        }
        let position = if start == 0 { 0 } else { course.position_of(start) };
        assert_eq!(self.since_began(metadata.start()), nanoseconds(position) / 1_000, "{name}: start");

        let (must, may) = course.pauses_of(start, len);
        let told: Vec<_> = metadata.pauses().into_iter().map(|(at, ms)| (self.since_began(at) / 1_000, ms)).collect();
        let is_right = told == must || told == [must.clone(), may].concat();
        assert!(is_right, "{name}: pauses {told:?}, not {must:?}");

        let end = Duration::from_nanos(nanoseconds(course.position_of(start + len)));
        let told = metadata.participants();
        for (index, voice) in course.voices.iter().enumerate() {
            // Who joined in the last tick may be in the journal only, or not even there.
            let join = Duration::from_millis(voice.join_ms);
            let is_there = join + Duration::from_millis(200) < end;
            let found = told.iter().find(|(name, _)| name == voice.name);
            let has_come = join < end || nanoseconds(position) == join.as_nanos() as u64;
            assert!(found.is_none() || has_come, "{name}: {} has not come yet, in {told:?}", voice.name);
            assert!(found.is_some() || !is_there, "{name}: {} is not in {told:?}", voice.name);
            let channel = found.and_then(|(_, channel)| *channel);
            let expected = (self.graph == "unmixed-wav").then_some(index as u64);
            let is_early = !is_there && channel.is_none();
            assert!(found.is_none() || channel == expected || is_early, "{name}: {} in {told:?}", voice.name);
        }
    }

    /// Microseconds.
    fn since_began(&self, time: jiff::Timestamp) -> u64 {
        between(self.began, time).as_micros() as u64
    }
}

fn nanoseconds(position: u64) -> u64 {
    position * 1_000_000_000 / u64::from(RATE)
}

fn compare(found: &[i16], expected: &[i16], file: &Path) {
    let differs = found.iter().zip(expected).position(|(found, expected)| found != expected);
    let around = |at: usize| (at, &found[at..found.len().min(at + 8)], &expected[at..expected.len().min(at + 8)]);
    assert_eq!(differs.map(around), None, "{}: (sample, found, expected)", file.display());
}

/// Returns the mean of squares.
fn power(levels: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = levels.len() as f64;
    levels.map(|level| level * level).sum::<f64>() / n
}
