//! Numbered frames, read from what a recorder would have made of them.

use std::path::{Path, PathBuf};

use crate::support::call::Call;
use crate::support::captured::capture;
use crate::support::judge;
use crate::support::serial::{self, FRAME};
use crate::support::signal;
use crate::support::sound::Random;
use crate::support::sound::noise;

/// A directory with `frames.ulaw` in it: 30 s as they are sent, then 30 s of any numbers.
struct Sound {
    dir: tempfile::TempDir,
    numbers: Vec<u16>,
}

impl Sound {
    fn new() -> Self {
        let sent = capture("--serial --duration 30s").rtp(0);
        let mut bytes: Vec<u8> = sent.into_iter().flat_map(|packet| packet.payload).collect();
        let mut random = Random::new(5);
        let any: Vec<_> = (0..1_500).map(|_| random.next() as u16).collect();
        let coder = reelgraph::send::SerialCoder::default();
        bytes.extend(any.iter().flat_map(|number| coder.payload(*number)));
        let dir = tempfile::tempdir().expect("a temporary directory");
        std::fs::write(dir.path().join("frames.ulaw"), bytes).expect("it can be written");
        Self { dir, numbers: (0..1_500).chain(any).collect() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Decodes the frames with ffmpeg: 16 kHz, with silence of so many ms before, and some behind.
    fn wav(&self, silence_ms: u32) -> PathBuf {
        let (from, to) = (self.path("frames.ulaw"), self.path(&format!("{silence_ms}.wav")));
        let delay = format!("adelay={silence_ms},apad=pad_dur=0.1");
        let input = ["-nostdin", "-v", "error", "-y", "-f", "mulaw", "-ar", "8000", "-i"];
        let output = ["-af", &delay, "-ar", "16000"];
        let files = [from.to_str().expect("text"), to.to_str().expect("text")];
        judge::run("ffmpeg", [&input[..], &files[..1], &output, &files[1..]].concat());
        to
    }

    /// Looks for all numbers in a recording that began up to so many frames before the first; returns how many of them
    /// it has, and how many it has that are wrong.
    #[track_caller]
    fn check(&self, path: &Path, frames_before: usize) -> (usize, usize) {
        let frames = serial::read(&judge::decoded(path));
        let numbers: Vec<_> = frames.iter().map(|frame| frame.number).collect();
        let first = numbers.iter().position(Option::is_some).expect("there are numbers");
        assert!(first <= frames_before, "{first} frames without a number");
        let found = &numbers[first..];
        let is_right = |(found, number): &(&Option<u16>, &u16)| **found == Some(**number);
        let n_right = found.iter().zip(&self.numbers).filter(is_right).count();
        let n_said = found.iter().flatten().count();
        (n_right, n_said - n_right)
    }
}

#[test]
fn all_numbers_are_read_from_wav() {
    let sound = Sound::new();
    assert_eq!(sound.check(&sound.wav(0), 0), (3_000, 0));
    assert_eq!(sound.check(&sound.wav(1_013), 51), (3_000, 0));
}

/// A recorder may put what comes after a gap anywhere.
#[test]
fn numbers_are_read_behind_a_jump() {
    let sound = Sound::new();
    let samples = judge::decoded(&sound.wav(0));
    let (before, behind) = samples.split_at(100 * FRAME + FRAME / 2);
    let frames = serial::read(&[before, &[0; 12_345], behind].concat());
    let numbers: Vec<_> = frames.iter().filter_map(|frame| frame.number).collect();
    // All but the one that is in two pieces.
    let expected = [&sound.numbers[..100], &sound.numbers[101..]].concat();
    let differs = numbers.iter().zip(&expected).position(|(number, expected)| number != expected);
    assert_eq!((numbers.len(), differs), (2_999, None));
}

/// As a recording has them whose clock drifts against the sender's.
#[test]
fn numbers_are_read_where_clocks_drift() {
    let sound = Sound::new();
    let wav = sound.wav(100);
    for speed in ["1.0002", "0.9995"] {
        let drifting = sound.path(&format!("{speed}.wav"));
        let [from, to] = [&wav, &drifting].map(|path| path.to_str().expect("text"));
        judge::run("sox", ["-D", from, to, "speed", speed]);
        assert_eq!(sound.check(&drifting, 6), (3_000, 0), "speed {speed}");
    }
}

#[test]
fn numbers_are_read_from_mp3() {
    let sound = Sound::new();
    let wav = sound.wav(333);
    let by_ffmpeg = sound.path("ffmpeg.mp3");
    judge::convert(&wav, "-c:a libmp3lame -b:a 48k -ac 1", &by_ffmpeg);
    let by_gstreamer = sound.path("gstreamer.mp3");
    let [from, to] = [&wav, &by_gstreamer].map(|path| format!("location={}", path.display()));
    let line = format!(
        "-q filesrc {from} ! wavparse ! audioconvert ! \
         lamemp3enc target=bitrate bitrate=48 cbr=true encoding-engine-quality=fast ! filesink {to}"
    );
    judge::run("gst-launch-1.0", line.split_whitespace());
    for path in [by_ffmpeg, by_gstreamer] {
        let (right, wrong) = sound.check(&path, 25);
        println!("{}: {right} of 3000, {wrong} wrong", path.display());
        assert!(right >= 2_985, "{}: {right} of 3000", path.display());
        assert_eq!(wrong, 0, "{}", path.display());
    }
}

#[test]
fn numbers_are_read_from_recordings() {
    let sound = Sound::new();
    let (from, coded) = (sound.path("frames.ulaw"), sound.path("frames.wav"));
    let input = ["-nostdin", "-v", "error", "-f", "mulaw", "-ar", "8000", "-i"];
    let files = [&from, &coded].map(|path| path.to_str().expect("text"));
    judge::run("ffmpeg", [&input[..], &files[..1], &["-c:a", "pcm_mulaw"], &files[1..]].concat());
    let call = Call::new().with_file("caller", &coded).args("--join caller=100ms");
    for (graph, least) in [("mixed-wav", 3_000), ("mixed-mp3", 2_985)] {
        let (right, wrong) = sound.check(&call.record(graph).file(), 5);
        assert!(right >= least && wrong == 0, "{graph}: {right} of 3000, {wrong} wrong");
    }
}

/// What stands for a frame in a recording in which it is not has no number, or that of the frame that it repeats.
#[test]
fn what_is_no_whole_frame_has_no_number() {
    let sound = Sound::new();
    let samples = judge::decoded(&sound.wav(0));
    let frame = |n: usize| &samples[n * FRAME..(n + 1) * FRAME];
    let scaled = |n: usize, by: fn(usize) -> f64| -> Vec<i16> {
        frame(n).iter().enumerate().map(|(at, sample)| (f64::from(*sample) * by(at)) as i16).collect()
    };
    for n in (1..3_000).step_by(7) {
        let said = |what: &str, samples: &[i16]| {
            assert_eq!(serial::number(samples), None, "frame {n}: {what}");
        };
        assert_eq!(serial::number(frame(n)), Some(sound.numbers[n]));
        said("quieter by 3 dB", &scaled(n, |_| 0.7));
        said("fading", &scaled(n, |at| 1.0 - at as f64 / FRAME as f64));
        said("the first half", &scaled(n, |at| f64::from(u8::from(at < FRAME / 2))));
        said("the second half", &scaled(n, |at| f64::from(u8::from(at >= FRAME / 2))));
        said("twice as loud", &scaled(n, |_| 2.0));
        said("half of two", &samples[n * FRAME - FRAME / 2..][..FRAME]);
        let both: Vec<_> = frame(n).iter().zip(frame(n - 1)).map(|(a, b)| a / 2 + b / 2).collect();
        said("two over one another", &both);
        for shift in [2, 5, 20, 80, 160] {
            said("moved", &samples[n * FRAME + shift..][..FRAME]);
        }
        for ms in 5..=15 {
            // Concealment goes on with the last pitch period, which begins where the frame does not.
            let period = &frame(n)[FRAME - 16 * ms..];
            said("a period over and over", &period.iter().copied().cycle().take(FRAME).collect::<Vec<_>>());
        }
    }
    for seed in 0..2_000 {
        assert_eq!(serial::number(&noise(seed, FRAME, 12_000)), None, "noise of seed {seed}");
    }
    assert_eq!(serial::number(&[0; FRAME]), None);
}

#[test]
fn frames_are_as_loud_as_they_should_be() {
    let sound = Sound::new();
    let samples = judge::decoded(&sound.wav(0));
    let peak = samples.iter().map(|sample| sample.unsigned_abs()).max().expect("samples");
    // Below −6 dBFS, where the mixer is exact; A/√2 of each of 16 tones, behind a window of 3/8 of the power.
    assert!(peak < 16_384, "{peak}");
    let level = signal::rms_db(&samples[..sound.numbers.len() * FRAME]);
    assert!((level + 20.58).abs() < 0.2, "{level} dBFS");
}
