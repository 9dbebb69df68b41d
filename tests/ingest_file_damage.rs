//! What is wrong with a file is told, at once, by its own variant; no bytes bring a panic or a wait without an end.

mod media;
mod support;

use media::Media;
use reelgraph::ingest::file::FileError;
use reelgraph::ingest::file::FileTrack;
use std::path::Path;
use std::time::Duration;
use std::time::Instant;
use support::sound::Random;

/// Reads a file to its end: how much of it there is, and what is wrong with it.
fn read(path: &Path) -> (gst::ClockTime, Option<FileError>) {
    let mut end = gst::ClockTime::ZERO;
    let mut track = match FileTrack::open(path) {
        Ok(track) => track,
        Err(error) => return (end, Some(error)),
    };
    loop {
        match track.next_frame() {
            Ok(Some(frame)) => {
                let pts = frame.buffer.pts().expect("a frame has a time");
                assert!(pts >= end, "{path:?}: time goes back");
                end = pts + frame.buffer.duration().expect("a frame has a duration");
            }
            Ok(None) => return (end, None),
            Err(FileError::Hole { from, to, .. }) => assert!(from == end && to > from, "{path:?}: {from} to {to}"),
            Err(error) => {
                assert!(track.next_frame().is_ok_and(|frame| frame.is_none()), "{path:?}: told once");
                return (end, Some(error));
            }
        }
    }
}

#[track_caller]
fn check(path: &Path, is_right: fn(&FileError) -> bool, text: &str) {
    match read(path) {
        (_, Some(error)) if is_right(&error) => assert_eq!(error.to_string(), text),
        (end, other) => panic!("{path:?}: {other:?} after {end}, expected: {text}"),
    }
}

#[test]
fn what_is_no_media_is_named() {
    let media = Media::new();
    check(&media.path("missing.wav"), |e| matches!(e, FileError::NotFound), "no such file; check the name");
    check(&media.path(""), |e| matches!(e, FileError::Directory), "this is a directory; name a file in it");
    check(
        Path::new("/dev/zero"),
        |e| matches!(e, FileError::NotRegular),
        "this is not a regular file; copy its content into one",
    );
    check(
        &media.write("file.txt", b"text").join("below"),
        |e| matches!(e, FileError::Unreadable { .. }),
        "the file cannot be read: Not a directory (os error 20); check its permissions",
    );
    check(
        &media.write("empty.wav", b""),
        |e| matches!(e, FileError::Empty),
        "the file is empty; whoever wrote it wrote nothing",
    );
    check(
        &media.write("bytes", &[0; 1_000]),
        |e| matches!(e, FileError::NotMedia { found: None }),
        "this is no known kind of media; give a media file",
    );
    check(
        &media.write("text.wav", "Dear all,\n".repeat(100).as_bytes()),
        |e| matches!(e, FileError::NotMedia { found: Some(_) }),
        "this is text/plain, not media; give a media file",
    );
    // Nothing in the bytes of raw G.722 says what they are.
    let g722 = media.ffmpeg(&[&media.sweep(16_000, 1, 16_000)], "-c:a g722", "raw.g722");
    check(
        &g722,
        |e| matches!(e, FileError::NotMedia { found: None }),
        "this is no known kind of media; give a media file",
    );
}

#[test]
fn a_playlist_opens_no_connection() {
    let media = Media::new();
    let playlist = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nhttp://127.0.0.1:9/a.ts\n";
    check(
        &media.write("call.m4a", playlist.as_bytes()),
        |e| matches!(e, FileError::NotMedia { .. }),
        "this is application/x-hls, not media; give a media file",
    );
}

#[test]
fn a_file_without_audio_is_refused() {
    let media = Media::new();
    for name in ["video.mp4", "video.mkv", "video.ts", "video.h264"] {
        let path = media.ffmpeg(&[], "-f lavfi -i testsrc=d=1:r=25:s=64x64 -c:v libx264", name);
        check(&path, |e| matches!(e, FileError::NoAudio), "the file has no audio stream; give one that has");
    }
}

#[test]
fn a_header_alone_is_no_track() {
    let media = Media::new();
    let wav = std::fs::read(media.sweep(8_000, 1, 8_000)).expect("sox wrote it");
    check(
        &media.write("header.wav", &wav[..44]),
        |e| matches!(e, FileError::NoSamples),
        "the audio stream has no samples; whoever wrote the file wrote only its header",
    );
    for name in ["torn.wav", "torn.aiff", "torn.au"] {
        let whole = media.ffmpeg(&[&media.sweep(8_000, 1, 8_000)], "", name);
        let bytes = std::fs::read(whole).expect("ffmpeg wrote it");
        let path = media.write(name, &bytes[..20]);
        let (_, error) = read(&path);
        assert!(matches!(error, Some(FileError::BadHeader { .. })), "{name}: {error:?}");
    }
}

#[test]
fn a_codec_that_is_not_installed_is_named() {
    let media = Media::new();
    let path = media.ffmpeg(&[&media.sweep(8_000, 1, 8_000)], "", "core.caf");
    check(
        &path,
        |e| matches!(e, FileError::NotInstalled { .. }),
        "what this file needs is not installed: Apple Core Audio Format demuxer (caps audio/x-caf); \
         try the Debian package gstreamer1.0-libav",
    );
}

#[test]
fn a_wav_that_promises_more_is_truncated_to_the_sample() {
    let media = Media::new();
    let wav = std::fs::read(media.sweep(8_000, 1, 8_000)).expect("sox wrote it");
    let (end, error) = read(&media.write("cut.wav", &wav[..wav.len() - 8_001]));
    let Some(FileError::Truncated { declared, delivered }) = error else { panic!("{error:?}") };
    assert_eq!((declared, delivered), (Some(gst::ClockTime::SECOND), end));
    // 3999 samples and a half are there; half a sample is not heard.
    assert_eq!(end, gst::ClockTime::from_nseconds(3_999 * 125_000));
}

#[test]
fn au_and_mp3_are_truncated_where_their_header_says_so() {
    let media = Media::new();
    let sound = media.sweep(16_000, 1, 48_000);
    for (name, options) in [("whole.au", ""), ("whole.mp3", "-b:a 48k -write_xing 1"), ("id3.mp3", "-metadata title=A")]
    {
        let whole = media.ffmpeg(&[&sound], options, name);
        assert!(read(&whole).1.is_none(), "{name} is whole");
        let bytes = std::fs::read(&whole).expect("ffmpeg wrote it");
        let (end, error) = read(&media.write(format!("cut-{name}"), &bytes[..bytes.len() / 2]));
        let Some(FileError::Truncated { declared: Some(declared), delivered }) = error else {
            panic!("{name}: {error:?}")
        };
        // An MP3 encoder adds its delay and its padding.
        let (second, added) = (gst::ClockTime::SECOND, gst::ClockTime::from_mseconds(160));
        assert!(declared >= 3 * second && declared < 3 * second + added, "{name}: {declared}");
        assert!(delivered == end && end > second && end < 2 * second, "{name}: {end}");
    }
}

#[test]
fn a_wav_from_a_pipe_promises_nothing() {
    let media = Media::new();
    let mut wav = std::fs::read(media.sweep(8_000, 1, 8_000)).expect("sox wrote it");
    for length in [u32::MAX, 0] {
        wav[40..44].copy_from_slice(&length.to_le_bytes());
        let (end, error) = read(&media.write("pipe.wav", &wav));
        assert!(error.is_none() && end == gst::ClockTime::SECOND, "{end} {error:?}");
    }
}

#[test]
fn half_a_file_is_delivered_and_reported() {
    let media = Media::new();
    let source = media.sweep(48_000, 1, 480_000);
    for name in ["half.flac", "half.opus", "half.ogg", "half.mkv", "half.mp4", "half.aiff"] {
        let whole = std::fs::read(media.ffmpeg(&[&source], "-movflags faststart", name)).expect("ffmpeg wrote it");
        let (end, error) = read(&media.write(name, &whole[..whole.len() / 2]));
        let Some(FileError::Truncated { declared, delivered }) = error else { panic!("{name}: {error:?}") };
        assert_eq!(delivered, end, "{name}");
        // Pages of a second, clusters of five, and bit rates that vary.
        assert!((2_000..7_000).contains(&end.mseconds()), "{name}: {end}");
        let is_ogg = name.ends_with("opus") || name.ends_with("ogg");
        assert_eq!(declared.is_none(), is_ogg, "{name}: {declared:?}");
        assert!(declared.is_none_or(|declared| (9_990..10_100).contains(&declared.mseconds())), "{name}: {declared:?}");
    }
}

#[test]
fn a_second_stream_of_another_kind_is_not_lost_silently() {
    let media = Media::new();
    let source = media.sweep(48_000, 1, 96_000);
    let parts = [("-c:a libvorbis", "first.ogg"), ("-c:a flac", "second.ogg")];
    let parts = parts.map(|(options, name)| std::fs::read(media.ffmpeg(&[&source], options, name)));
    let bytes = parts.map(|bytes| bytes.expect("ffmpeg wrote it")).concat();
    let (end, error) = read(&media.write("both.ogg", &bytes));
    let Some(FileError::Truncated { declared: Some(declared), delivered }) = error else { panic!("{error:?}") };
    assert_eq!((end.seconds(), delivered.seconds(), declared.seconds()), (2, 2, 4));
}

#[test]
fn no_bytes_bring_a_panic_or_an_endless_wait() {
    const SEED: u64 = 20_240_501;
    let media = Media::new();
    // GStreamer 1.22 itself warns about some damaged files (gst_adapter_flush in parsers), which is not ours to end by.
    gst::glib::log_set_always_fatal(gst::glib::LogLevels::LEVEL_ERROR);
    let source = media.sweep(48_000, 1, 96_000);
    let names = ["x.wav", "x.flac", "x.opus", "x.ogg", "x.mp3", "x.m4a", "x.mkv", "x.aiff", "x.au", "x.avi", "x.ts"];
    let mut random = Random::new(SEED);
    for name in names {
        let whole = std::fs::read(media.ffmpeg(&[&source], "", name)).expect("ffmpeg wrote it");
        for round in 0..10 {
            let mut bytes = whole.clone();
            let region = [64, 300, 2_000, bytes.len()][random.below(4)].min(bytes.len());
            for _ in 0..[1, 3, 10, 100][random.below(4)] {
                bytes[random.below(region)] = random.below(256) as u8;
            }
            if random.below(3) == 0 {
                bytes.truncate(1 + random.below(whole.len()));
            }
            let path = media.write(name, &bytes);
            let begun = Instant::now();
            let (end, error) = read(&path);
            // One deadline of 10 s may pass, where a demuxer goes round in circles.
            assert!(begun.elapsed() < Duration::from_secs(15), "seed {SEED}: {name} {round}: {error:?}");
            assert!(!end.is_zero() || error.is_some(), "seed {SEED}: {name} {round}: neither frames nor an error");
        }
    }
}

#[test]
fn a_hole_is_told_where_the_format_has_none_and_what_follows_is_heard() {
    let media = Media::new();
    let source = media.sweep(16_000, 1, 96_000);
    for (name, options) in [("hole.flac", ""), ("hole.opus", "-c:a libopus")] {
        let mut bytes = std::fs::read(media.ffmpeg(&[&source], options, name)).expect("ffmpeg wrote it");
        let middle = bytes.len() / 2;
        bytes[middle..middle + 3_000].fill(0);
        let mut track = FileTrack::open(&media.write(name, &bytes)).expect("its beginning is sound");
        let (mut end, mut holes) = (gst::ClockTime::ZERO, Vec::new());
        loop {
            match track.next_frame() {
                Ok(Some(frame)) => end = frame.buffer.pts().unwrap() + frame.buffer.duration().unwrap(),
                Ok(None) => break,
                Err(FileError::Hole { from, to, is_last_told: false }) => holes.push((from, to)),
                Err(error) => panic!("{name}: {error}"),
            }
        }
        assert_eq!(end.mseconds(), 6_000, "{name}");
        let [(from, to)] = holes[..] else { panic!("{name}: {holes:?}") };
        assert!(from < gst::ClockTime::from_mseconds(4_500) && to > gst::ClockTime::from_seconds(3), "{from} to {to}");
    }
}
