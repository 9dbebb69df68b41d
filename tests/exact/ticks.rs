//! The length of ticks, and another run, change no byte of any file.

use std::path::Path;

use crate::support::RATE;
use crate::support::call::{Call, Recording};
use crate::support::judge;
use crate::support::sound;
use crate::support::wav;

const GRAPHS: [&str; 3] = ["mixed-wav", "mixed-mp3", "unmixed-wav"];
const TICKS: [&str; 4] = ["10ms", "37ms", "100ms", "200ms"];

/// Returns the bytes of all media files, in order.
#[track_caller]
fn files(recording: &Recording) -> Vec<Vec<u8>> {
    recording.files().iter().map(|file| std::fs::read(file).expect("the file is there")).collect()
}

/// Asserts that all ticks, and a second run, give the same files.
#[track_caller]
fn check(what: &str, call: &Call) {
    for graph in GRAPHS {
        let first = files(&call.clone().tick(TICKS[0]).record(graph));
        assert!(first.iter().map(Vec::len).sum::<usize>() > 10_000, "{graph}, {what}: little was recorded");
        for tick in TICKS {
            let other = files(&call.clone().tick(tick).record(graph));
            let differs = first.iter().zip(&other).position(|(a, b)| a != b);
            assert_eq!(
                (differs, other.len()),
                (None, first.len()),
                "{graph}, {what}: {tick} (first other chunk, chunks)"
            );
        }
    }
}

/// A call in which everybody has another codec and rate.
fn colourful() -> Call {
    let said = |seed, n| sound::speech(seed, n);
    let mut call = Call::new().with("raw", &said(0, 4 * RATE));
    for (name, ending, options) in [
        ("narrow", "wav", "-ar 8000"),
        ("wide", "wav", "-ar 44100"),
        ("mulaw", "wav", "-ar 8000 -c:a pcm_mulaw"),
        ("opus", "opus", "-c:a libopus -b:a 24k"),
    ] {
        call = call.codec(ending, options).with(name, &said(name.len(), 3 * RATE + 77));
    }
    call.args("--join narrow=0.3s --join wide=1000031251ns --join mulaw=1.5s --join opus=0.71s --leave wide=2.345s")
}

#[test]
fn ticks_change_nothing_in_a_call_of_many_codecs() {
    check("as it is", &colourful());
}

#[test]
fn ticks_change_nothing_where_it_is_paused_and_cut() {
    check("cut", &colourful().args("--chunk-duration 1.7s --pause 0.55s-1.234567891s --pause 3s-3.1s"));
    check("cut by size", &colourful().args("--chunk-size 15KiB --pause 1s-2s --pause-mode tone"));
    check("ended early", &colourful().args("--duration 2.2222s --chunk-duration 500ms"));
}

#[test]
fn ticks_change_nothing_where_media_has_holes() {
    // Two stretches of a Matroska file with half a second of nothing between them, the first no whole voice frames
    // long.
    for rate in [RATE, 8_000, 48_000] {
        let call = Call::new().with("anna", &sound::noise(1, 2 * RATE, 8_000));
        let holey = call.path("holey.mkv");
        holes(&call.path("parts"), &holey, rate);
        check(&format!("holes at {rate} Hz"), &call.with_file("bert", &holey));
    }
}

/// Makes a file of 50 ms of noise, a hole of 450 ms, and a second of noise.
fn holes(dir: &Path, to: &Path, rate: usize) {
    std::fs::create_dir(dir).expect("the temporary directory can be written");
    let (short, long) = (dir.join("short.wav"), dir.join("long.wav"));
    wav::write(&short, rate as u32, 1, &sound::noise(2, rate / 20, 8_000));
    wav::write(&long, rate as u32, 1, &sound::noise(3, rate, 8_000));
    let words = |words: &str| words.split(' ').map(std::ffi::OsString::from).collect::<Vec<_>>();
    let list = dir.join("list.txt");
    std::fs::write(&list, "file short.wav\nduration 0.5\nfile long.wav\n").expect("the directory can be written");
    let args = [words("-v error -nostdin -f concat -i"), vec![list.into()], words("-c copy"), vec![to.into()]];
    judge::run("ffmpeg", args.concat());
}
