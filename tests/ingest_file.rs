//! What a track from a healthy file is, judged by ffmpeg, opusdec and a hand-written WAV reader.

mod media;
mod support;

use gst_audio::AudioClippingMeta;
use media::Media;
use reelgraph::engine::Frame;
use reelgraph::ingest::file::FileTrack;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::path::PathBuf;

/// A whole file, read.
struct Track {
    caps: String,
    rate: u64,
    bytes: Vec<u8>,
    frames: Vec<Frame>,
    end: gst::ClockTime,
}

impl Track {
    /// Samples (per channel) that the frames' times say, to the sample.
    fn samples(&self) -> u64 {
        let samples = self.end.nseconds() as f64 * self.rate as f64 / 1e9;
        assert!(samples.ceil() - samples < 1e-3, "an end between two samples: {samples}");
        samples.ceil() as u64
    }

    fn is(&self, media_type: &str) -> bool {
        self.caps.starts_with(&format!("{media_type},"))
    }
}

/// Reads a whole file and checks what is true of every file without holes.
#[track_caller]
fn read(path: &Path) -> Track {
    let mut track = FileTrack::open(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let caps = track.caps().clone();
    let (mut bytes, mut frames, mut end) = (Vec::new(), Vec::new(), gst::ClockTime::ZERO);
    while let Some(frame) = track.next_frame().unwrap_or_else(|error| panic!("{path:?}: {error}")) {
        assert_eq!(frame.buffer.pts(), Some(end), "{path:?}: times touch");
        let duration = frame.buffer.duration().expect("a frame has a duration");
        assert!(duration <= gst::ClockTime::from_mseconds(120), "{path:?}: {duration} in a frame");
        bytes.extend_from_slice(&frame.buffer.map_readable().expect("a frame can be read"));
        end += duration;
        frames.push(frame);
    }
    assert!(track.next_frame().is_ok_and(|frame| frame.is_none()), "{path:?}: an end is for ever");
    let s = caps.structure(0).expect("a track has caps");
    let rate = match s.name().as_str() {
        "audio/x-opus" => 48_000,
        _ => s.get::<i32>("rate").expect("a track has a rate") as u64,
    };
    Track { caps: caps.to_string(), rate, bytes, frames, end }
}

#[test]
fn s16_wav_is_bit_identical() {
    let media = Media::new();
    for (rate, channels, samples) in
        [(8_000, 1, 12_345), (16_000, 2, 30_001), (44_100, 2, 44_100), (44_100, 1, 1), (48_000, 1, 100_003)]
    {
        let path = media.sweep(rate, channels, samples);
        let track = read(&path);
        assert!(track.is("audio/x-raw") && track.caps.contains("S16LE"), "{}", track.caps);
        assert!(track.caps.contains(&format!("rate=(int){rate}")), "{}", track.caps);
        assert!(track.caps.contains(&format!("channels=(int){channels}")), "{}", track.caps);
        assert_eq!(track.bytes, wav_data(&path));
        assert_eq!(track.samples(), u64::from(samples));
    }
}

#[test]
fn g711_and_g722_are_handed_on_undecoded() {
    let media = Media::new();
    // Odd lengths, since wavparse 1.22 finds nothing in them when it pulls.
    for samples in [16_000, 16_001] {
        let source = media.sweep(8_000, 1, samples);
        for (codec, caps) in [("pcm_mulaw", "audio/x-mulaw"), ("pcm_alaw", "audio/x-alaw")] {
            let path = media.ffmpeg(&[&source], &format!("-c:a {codec}"), "g711.wav");
            let track = read(&path);
            assert!(track.is(caps), "{}", track.caps);
            assert_eq!(track.bytes, wav_data(&path));
            assert_eq!(track.samples(), u64::from(samples));
            let au = read(&media.ffmpeg(&[&source], &format!("-c:a {codec}"), "g711.au"));
            assert_eq!(au.bytes, track.bytes);
        }
    }
    let path = media.ffmpeg(&[&media.sweep(16_000, 1, 30_002)], "-c:a g722", "g722.wav");
    let track = read(&path);
    assert!(track.is("audio/G722"), "{}", track.caps);
    assert_eq!(track.bytes, wav_data(&path));
    assert_eq!(track.samples(), 30_002);
}

#[test]
fn lossless_formats_are_bit_identical() {
    let media = Media::new();
    let source = media.sweep(48_000, 2, 70_001);
    let cases = [
        ("-c:a flac", "s16.flac"),
        ("-c:a flac", "s16.ogg"),
        ("-c:a pcm_s16be", "s16.aiff"),
        ("-c:a pcm_s16le", "s16.mkv"),
        ("-c:a pcm_s16le", "s16.mov"),
        ("-c:a pcm_s16le", "s16.avi"),
        ("-c:a pcm_s16le -rf64 always", "rf64.wav"),
    ];
    for (options, name) in cases {
        let track = read(&media.ffmpeg(&[&source], options, name));
        assert!(track.is("audio/x-raw"), "{name}: {}", track.caps);
        assert_eq!(track.samples(), 70_001, "{name}");
        assert!(track.bytes == wav_data(&source), "{name}: other samples");
    }
}

#[test]
fn other_raw_formats_become_s16_at_their_own_rate() {
    let media = Media::new();
    let source = media.sweep(44_100, 1, 50_001);
    let truth = samples(&wav_data(&source));
    // What 16 bits became with 8 zero bits, or as floats, comes back; 8 bits are coarse.
    for (codec, tolerance) in [("pcm_s24le", 0), ("pcm_s32le", 0), ("pcm_f32le", 0), ("pcm_u8", 256)] {
        let track = read(&media.ffmpeg(&[&source], &format!("-c:a {codec}"), "other.wav"));
        assert!(track.caps.contains("rate=(int)44100"), "{codec}: {}", track.caps);
        assert_eq!(track.samples(), 50_001, "{codec}");
        let worst = samples(&track.bytes).iter().zip(&truth).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(worst <= Some(tolerance), "{codec}: {worst:?}");
    }
}

#[test]
fn more_than_two_channels_are_mixed_down() {
    let media = Media::new();
    let source = media.sweep(48_000, 1, 48_001);
    for (options, name) in [("-ac 6", "six.wav"), ("-ac 6 -c:a libopus", "six.opus")] {
        let track = read(&media.ffmpeg(&[&source], options, name));
        assert!(track.is("audio/x-raw") && track.caps.contains("channels=(int)2"), "{name}: {}", track.caps);
        assert_eq!(track.samples(), 48_001, "{name}");
        assert_eq!(track.bytes.len(), 48_001 * 4, "{name}");
    }
}

/// Once the converter's crash took the program with it.
#[test]
fn more_channels_than_anybody_mixes_are_refused() {
    let media = Media::new();
    let path = media.path("many.wav");
    for (channels, is_read) in [(63, true), (64, false), (255, false)] {
        let channels = channels.to_string();
        let sound = ["-r", "16000", "-c", &channels, "-b", "16", "-n", path.to_str().expect("a path of text")];
        support::judge::run("sox", [&sound[..], &["synth", "0.5", "sine", "440"]].concat());
        let opened = FileTrack::open(&path);
        let is_told = opened.as_ref().is_err_and(|error| error.to_string().contains(&format!("{channels} channels")));
        assert_eq!((opened.is_ok(), is_told), (is_read, !is_read), "{channels}");
    }
}

/// Once a file of many channels without places was called damaged: no converter mixes those by itself.
#[test]
fn channels_that_have_no_place_are_mixed_alike() {
    let media = Media::new();
    let source = media.sweep(16_000, 1, 16_001);
    let said: Vec<i16> = read(&source).bytes.chunks(2).map(|two| i16::from_le_bytes([two[0], two[1]])).collect();
    for channel in [0, 2, 15] {
        let options = format!("-af pan=16c|c{channel}=c0");
        let track = read(&media.ffmpeg(&[&source], &options, "many.wav"));
        assert!(track.caps.contains("channels=(int)1"), "{}", track.caps);
        let mixed = track.bytes.chunks(2).map(|two| i16::from_le_bytes([two[0], two[1]]));
        assert!(mixed.clone().count() == said.len(), "{options}");
        assert!(mixed.zip(&said).all(|(mixed, said)| (mixed - said / 16).abs() <= 1), "{options}");
    }
}

#[test]
fn opus_is_as_long_as_opusdec_says() {
    let media = Media::new();
    let (mono, stereo) = (media.sweep(48_000, 1, 181_301), media.sweep(16_000, 2, 60_434));
    let video = media.ffmpeg(&[], "-f lavfi -i testsrc=d=2:r=25:s=64x64 -c:v libx264", "video.mp4");
    let both =
        [std::fs::read(opusenc(&media, &mono, "", "one.opus")), std::fs::read(opusenc(&media, &mono, "", "two.opus"))];
    let chained = both.map(|bytes| bytes.expect("opusenc wrote it")).concat();
    let cases = [
        (opusenc(&media, &mono, "", "mono-20.opus"), 1),
        (opusenc(&media, &mono, "--framesize 60", "mono-60.opus"), 1),
        (opusenc(&media, &mono, "--framesize 2.5", "mono-2.5.opus"), 1),
        (opusenc(&media, &stereo, "", "stereo-20.opus"), 2),
        (media.ffmpeg(&[&stereo], "-c:a libopus", "ffmpeg.opus"), 2),
        (media.write("chained.opus", &chained), 1),
    ];
    for (path, channels) in &cases {
        let track = read(path);
        assert!(track.is("audio/x-opus"), "{path:?}: {}", track.caps);
        assert_eq!(track.samples(), opusdec_samples(&media, path, *channels), "{path:?}");
    }
    let in_matroska = read(&media.ffmpeg(&[&video, &mono], "-c:v copy -c:a libopus", "video.mkv"));
    assert!(in_matroska.is("audio/x-opus"), "{}", in_matroska.caps);
    assert_eq!(in_matroska.samples(), 181_301);
}

#[test]
fn opus_pre_skip_is_clipped_over_several_packets() {
    let media = Media::new();
    let source = media.sweep(48_000, 1, 48_000);
    // 312 samples of pre-skip, in packets of 120.
    let track = read(&opusenc(&media, &source, "--framesize 2.5", "short.opus"));
    let clips: Vec<_> = track.frames.iter().map(|frame| clip(frame).0).take(4).collect();
    assert_eq!(clips, [120, 120, 72, 0]);
    let durations: Vec<_> = track.frames.iter().map(|frame| frame.buffer.duration().map(|d| d.useconds())).collect();
    assert_eq!(durations[..4], [Some(0), Some(0), Some(1_000), Some(2_500)]);
    let last = track.frames.last().expect("there are frames");
    assert_eq!(clip(last), (0, (48_000 + 312u64).next_multiple_of(120) - 48_000 - 312));
}

fn clip(frame: &Frame) -> (u64, u64) {
    let samples = |value| match value {
        gst::GenericFormattedValue::Default(Some(samples)) => *samples,
        other => panic!("a clip in {other:?}"),
    };
    frame.buffer.meta::<AudioClippingMeta>().map_or((0, 0), |meta| (samples(meta.start()), samples(meta.end())))
}

#[test]
fn opus_in_mp4_begins_at_the_edit_list() {
    let media = Media::new();
    let source = media.sweep(48_000, 1, 96_000);
    let track = read(&media.ffmpeg(&[&source], "-c:a libopus", "opus.mp4"));
    assert_eq!(clip(&track.frames[0]), (312, 0));
    assert_missing_at_most_one_packet(track.samples(), 96_000, 960);
}

/// qtdemux 1.22 compares the last packets' time, which includes the edit list's start, with the movie's length.
#[track_caller]
fn assert_missing_at_most_one_packet(samples: u64, truth: u64, packet: u64) {
    assert!((truth - packet..truth + packet).contains(&samples), "{samples} samples of {truth}");
}

#[test]
fn lossy_formats_begin_where_they_should() {
    let media = Media::new();
    let source = media.sweep(48_000, 1, 100_003);
    let truth = samples(&wav_data(&source));

    let vorbis = read(&media.ffmpeg(&[&source], "-c:a libvorbis -q:a 6", "vorbis.ogg"));
    // vorbisdec clips by time, which rounds up.
    assert!((100_003..=100_004).contains(&vorbis.samples()), "{}", vorbis.samples());
    assert!(likeness(&samples(&vorbis.bytes), &truth) > 0.99);

    let aac = read(&media.ffmpeg(&[&source], "-c:a aac -b:a 128k", "aac.m4a"));
    assert_missing_at_most_one_packet(aac.samples(), 100_003, 1_024);
    assert!(likeness(&samples(&aac.bytes), &truth) > 0.99);

    // Tags by ffmpeg, which GStreamer 1.22 does not read, and by us, which it does; ffmpeg reads both.
    let by_ffmpeg = media.ffmpeg(&[&source], "-c:a libmp3lame -b:a 128k", "lavc.mp3");
    let id3 = media.ffmpeg(&[&source], "-c:a libmp3lame -b:a 128k -metadata title=long -id3v2_version 4", "id3.mp3");
    let stereo = media.ffmpeg(&[&source], "-ac 2 -c:a libmp3lame -q:a 4", "vbr.mp3");
    for path in [by_ffmpeg, id3, stereo] {
        let mp3 = read(&path);
        assert_eq!(mp3.bytes.len(), ffmpeg_pcm(&media, &path, "").len(), "{path:?}");
        let left: Vec<i16> = samples(&mp3.bytes).into_iter().step_by(mp3.bytes.len() / 200_006).collect();
        assert_eq!(left.len(), 100_003, "{path:?}");
        assert!(likeness(&left, &truth) > 0.99, "{path:?}");
    }
}

/// Our own, whose tag is one of LAME's to GStreamer: what it takes out must not be taken out twice.
#[test]
fn a_recording_is_as_long_when_it_is_read_again() {
    let media = Media::new();
    let source = media.sweep(16_000, 1, 48_000);
    let out = media.path("out");
    let record = ["record", "mixed-mp3", "--participant"].map(OsStr::new);
    let name = format!("a={}", source.display());
    let status = std::process::Command::new(env!("CARGO_BIN_EXE_reelgraph"))
        .args(record)
        .arg(name)
        .arg("--out")
        .arg(&out)
        .stdout(std::process::Stdio::null())
        .status();
    assert!(status.expect("it runs").success());
    assert_eq!(read(&out.join("mixed-mp3-000.mp3")).samples(), 48_000);
}

/// Normalised correlation without any shift: 1 for the same, about 0 for the same some samples later.
fn likeness(a: &[i16], b: &[i16]) -> f64 {
    let product = |a: &[i16], b: &[i16]| a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>();
    let length = a.len().min(b.len());
    let (a, b) = (&a[..length], &b[..length]);
    product(a, b) / (product(a, a) * product(b, b)).sqrt()
}

#[test]
fn a_hole_in_the_file_stays_a_hole() {
    let media = Media::new();
    let source = media.sweep(48_000, 1, 240_000);
    // Seconds 1 to 3 are not in the file, as when a participant's recorder was sent nothing.
    let path = media.ffmpeg(&[&source], "-c:a pcm_s16le -af aselect='lt(t,1)+gte(t,3)'", "hole.mkv");
    let mut track = FileTrack::open(&path).expect("a healthy file opens");
    let (mut end, mut holes) = (gst::ClockTime::ZERO, Vec::new());
    while let Some(frame) = track.next_frame().expect("a healthy file ends") {
        let pts = frame.buffer.pts().expect("a frame has a time");
        assert_eq!(pts != end, frame.buffer.flags().contains(gst::BufferFlags::DISCONT), "at {end}");
        if pts != end {
            holes.push((end.mseconds(), pts.mseconds()));
        }
        end = pts + frame.buffer.duration().expect("a frame has a duration");
    }
    // ffmpeg selects whole frames of 2048 samples: 24 of them, then from the 71st on.
    assert_eq!(holes, [(1_024, 3_029)]);
    // Matroska's time-stamps are whole milliseconds: the second part begins 0.33 ms too early.
    assert_eq!(end.mseconds(), 4_999);
}

#[test]
fn video_is_left_alone() {
    let media = Media::new();
    let source = media.sweep(48_000, 1, 48_000);
    let picture = "-f lavfi -i testsrc=d=3:r=25:s=64x64";
    let options = format!("{picture} -map 0:a -map 1:v -c:v libx264 -c:a aac");
    for name in ["both.mp4", "both.ts", "both.flv", "both.mkv"] {
        let path = media.ffmpeg(&[&source], &options, name);
        let truth = ffmpeg_pcm(&media, &path, "").len() as u64 / 2;
        assert_missing_at_most_one_packet(read(&path).samples(), truth, 2 * 1_024);
    }
}

#[test]
fn first_audio_stream_wins() {
    let media = Media::new();
    let (one, two) = (media.sweep(48_000, 1, 48_000), media.sweep(48_000, 1, 96_000));
    let options = "-map 0:a -map 1:a -c:a:0 libopus -c:a:1 aac";
    let track = read(&media.ffmpeg(&[&one, &two], options, "opus-first.mkv"));
    assert!(track.is("audio/x-opus") && track.samples() == 48_000, "{} {}", track.caps, track.samples());
    let options = "-map 0:a -map 1:a -c:a:0 flac -c:a:1 libopus";
    let track = read(&media.ffmpeg(&[&one, &two], options, "flac-first.mkv"));
    assert!(track.is("audio/x-raw") && track.samples() == 48_000, "{} {}", track.caps, track.samples());
}

#[test]
fn name_may_be_any_bytes() {
    let media = Media::new();
    let bytes = std::fs::read(media.sweep(8_000, 1, 8_000)).expect("sox wrote it");
    for name in [&b"\xff\xfe \x80.wav"[..], b"a b%20?#&\"'!.wav", b"location=x ! fakesink\n.wav"] {
        assert_eq!(read(&media.write(OsStr::from_bytes(name), &bytes)).samples(), 8_000, "{name:?}");
    }
}

#[test]
fn two_runs_yield_the_same_frames() {
    let media = Media::new();
    let source = media.sweep(48_000, 2, 96_001);
    for name in ["run.wav", "run.flac", "run.opus", "run.ogg", "run.mp3", "run.m4a"] {
        let path = media.ffmpeg(&[&source], "", name);
        let times = |track: &Track| track.frames.iter().map(|frame| frame.buffer.pts()).collect::<Vec<_>>();
        let (one, two) = (read(&path), read(&path));
        assert!(one.bytes == two.bytes && times(&one) == times(&two), "{name}");
    }
}

#[test]
fn declared_duration_is_that_of_the_media() {
    let media = Media::new();
    let source = media.sweep(48_000, 1, 96_000);
    for name in ["known.wav", "known.flac", "known.opus"] {
        let path = media.ffmpeg(&[&source], "", name);
        let track = FileTrack::open(&path).expect("a healthy file opens");
        assert_eq!(track.declared_duration(), Some(gst::ClockTime::from_seconds(2)), "{name}");
    }
}

/// Makes an Ogg/Opus file with opusenc.
fn opusenc(media: &Media, wav: &Path, options: &str, name: &str) -> PathBuf {
    let path = media.path(name);
    let options = ["--quiet"].into_iter().chain(options.split_whitespace()).map(OsStr::new);
    media::run("opusenc", options.chain([wav.as_os_str()]), &path, &[]);
    path
}

/// Returns what opusdec decodes, in samples per channel at 48 kHz.
fn opusdec_samples(media: &Media, file: &Path, channels: usize) -> u64 {
    let path = media.path("opusdec.raw");
    media::run(
        "opusdec",
        ["--quiet", "--rate", "48000"].map(OsStr::new).into_iter().chain([file.as_os_str()]),
        &path,
        &[],
    );
    (std::fs::read(path).expect("opusdec wrote it").len() / 2 / channels) as u64
}

/// Returns what ffmpeg decodes from the first audio stream, as S16LE.
fn ffmpeg_pcm(media: &Media, file: &Path, options: &str) -> Vec<u8> {
    let path = media.path("ffmpeg.raw");
    let before = ["-nostdin", "-v", "error", "-y"].into_iter().chain(options.split_whitespace()).map(OsStr::new);
    let input = [OsStr::new("-i"), file.as_os_str()];
    let output = ["-map", "0:a:0", "-f", "s16le"].map(OsStr::new);
    media::run("ffmpeg", before.chain(input).chain(output), &path, &[]);
    std::fs::read(path).expect("ffmpeg wrote it")
}

/// Returns the data chunk of a WAV file.
fn wav_data(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).expect("the test file is there");
    assert_eq!((&bytes[..4], &bytes[8..12]), (&b"RIFF"[..], &b"WAVE"[..]));
    let mut at = 12;
    loop {
        let length = u32::from_le_bytes(bytes[at + 4..at + 8].try_into().expect("four bytes")) as usize;
        let body = at + 8..at + 8 + length;
        if &bytes[at..at + 4] == b"data" {
            return bytes[body].to_vec();
        }
        at = body.end + length % 2;
    }
}

/// Reads S16LE as numbers.
fn samples(bytes: &[u8]) -> Vec<i16> {
    bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}
