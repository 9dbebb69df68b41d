//! A recording of hours takes no more memory than one of minutes.

use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use crate::support::RATE;
use crate::support::call::{Call, DONE, Recording};
use crate::support::sound;
use crate::support::wav;

const HOUR_SECONDS: u32 = 3_600;

/// How much more memory eight hours may take than ten minutes; a byte a second of anything would be 28 KiB.
const GROWTH_KIB_MAX: i64 = 2_048;

/// Makes a WAV file that holds sound at its begin and its end; between them a hole that takes no room on disk.
fn write_sparse(path: &Path, seconds: u32) {
    let data_bytes = seconds * RATE as u32 * 2;
    let said: Vec<u8> = sound::speech(0, 2 * RATE).iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let mut file = std::fs::File::create(path).expect("the temporary directory can be written");
    let header = wav::header(RATE as u32, 1, data_bytes);
    file.write_all(&header).and_then(|()| file.write_all(&said)).expect("the file can be written");
    let tail = header.len() as u64 + u64::from(data_bytes) - said.len() as u64;
    file.seek(SeekFrom::Start(tail)).and_then(|_| file.write_all(&said)).expect("the file can be written");
}

/// Records two people for that long; returns the recording and the most memory that the program held, in KiB.
#[track_caller]
fn record(graph: &str, seconds: u32, args: &str) -> (Recording, i64) {
    let call = Call::new();
    let source = call.path("source.wav");
    write_sparse(&source, seconds);
    let call = call.with_file("anna", &source).with_file("bert", &source).args(args);
    let (out, memory) = (call.path("out"), call.path("memory"));
    let memory = memory.to_str().expect("a path of text");
    let output = call.run(&["time", "-f", "%M", "-o", memory], graph, &out);
    let told = std::fs::read_to_string(memory).expect("time has written it");
    let recording = Recording::read(&call, graph, out, output, DONE);
    (recording, told.trim().parse().expect("a number of KiB"))
}

#[track_caller]
fn check(graph: &str, hours: u32, args: &str) {
    let (short, minutes_kib) = record(graph, 600, args);
    assert_eq!(short.json["durationSeconds"], 600.0);
    drop(short);
    let (long, hours_kib) = record(graph, hours * HOUR_SECONDS, args);
    assert_eq!(long.json["durationSeconds"], f64::from(hours * HOUR_SECONDS));
    let samples: usize = (0..long.files().len()).map(|chunk| long.samples(chunk)).sum();
    assert_eq!(samples, (hours * HOUR_SECONDS) as usize * RATE, "{graph}");
    println!("{graph}: ten minutes {minutes_kib} KiB, {hours} hours {hours_kib} KiB");
    assert!(hours_kib - minutes_kib < GROWTH_KIB_MAX, "{graph}: {minutes_kib} KiB grew to {hours_kib} KiB");
}

#[test]
fn eight_hours_take_no_more_memory_than_ten_minutes() {
    check("mixed-wav", 8, "");
}

#[test]
fn hours_of_mp3_in_many_chunks_take_no_more_memory() {
    check("mixed-mp3", 2, "--chunk-duration 100s");
}
