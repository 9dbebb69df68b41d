//! Disks that are full, files that cannot be opened.

use std::path::Path;
use std::process::Command;

use gst::prelude::*;

use crate::foreign;
use crate::run::Dir;
use crate::run::LAME_48;
use crate::run::MONO_16K;
use crate::run::Run;
use crate::run::to_bytes;
use crate::run::voice;

/// A file system of 64 KiB.
struct TinyDisk(Dir);

impl TinyDisk {
    #[track_caller]
    fn new() -> Self {
        let dir = Dir::new();
        foreign::run("mount", &["-t", "tmpfs", "-o", "size=64k", "none", dir.path().to_str().expect("text")]);
        Self(dir)
    }
}

impl Drop for TinyDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

/// Pushes ticks until the sink refuses one; returns what it answers from then on, and the error it posted.
#[track_caller]
fn push_until_full(run: &mut Run, channels: usize) -> gst::glib::Error {
    let tick = to_bytes(&voice(1_601, channels));
    let refused = (0..1_000).find_map(|_| run.push(&tick).err());
    assert_eq!(refused, Some(gst::FlowError::Error));
    assert_eq!(run.push(&tick), Err(gst::FlowError::Error));
    let (files, mut errors) = run.messages();
    assert_eq!(files, []);
    assert_eq!(errors.len(), 1, "posted once");
    errors.remove(0)
}

#[test]
fn a_wav_file_on_a_full_disk_keeps_every_whole_sample() {
    for (channels, header) in [(1, 44), (5, 68)] {
        let disk = TinyDisk::new();
        let location = disk.0.file("a.wav");
        let caps = format!("audio/x-raw,format=S16LE,layout=interleaved,rate=16000,channels={channels}");
        let caps = if channels > 1 { format!("{caps},channel-mask=(bitmask)0x0") } else { caps };
        let mut run = Run::with_caps("", &location, &caps);
        let error = push_until_full(&mut run, channels);
        assert_eq!(error.kind::<gst::ResourceError>(), Some(gst::ResourceError::NoSpaceLeft));

        // Readable at once, and after EOS the same.
        let size = std::fs::metadata(&location).expect("the file is there").len();
        let samples = (65_536 - header) / (2 * channels as u64);
        assert_eq!(size, header + samples * 2 * channels as u64);
        assert_eq!(foreign::ffprobe(&location, "duration_ts"), samples.to_string());
        assert_eq!(run.end(samples).map(|file| file.size), Some(size));
        let said = voice(1_601, channels).repeat(100);
        assert!(foreign::sox(&location) == said[..samples as usize * channels], "{channels} channels");
        assert_eq!(run.messages().1.len(), 0);
    }
}

#[test]
fn an_mp3_file_on_a_full_disk_keeps_every_whole_frame() {
    let disk = TinyDisk::new();
    let location = disk.0.file("a.mp3");
    let mut run = Run::with_caps(LAME_48, &location, MONO_16K);
    let error = push_until_full(&mut run, 1);
    assert_eq!(error.kind::<gst::ResourceError>(), Some(gst::ResourceError::NoSpaceLeft));
    let frames = 65_536 / 216 - 1;
    assert_eq!(run.end(1).map(|file| file.size), Some(216 * (1 + frames)));
    assert_eq!(foreign::ffmpeg(&location).len() as u64, frames * 576 - 576 - 529);
    assert_eq!(foreign::ffprobe(&location, "nb_read_packets"), frames.to_string());
    foreign::mp3val(&location);
}

#[test]
fn a_stop_after_a_full_disk_leaves_the_same_file() {
    let disk = TinyDisk::new();
    let location = disk.0.file("a.mp3");
    let mut run = Run::with_caps(LAME_48, &location, MONO_16K);
    push_until_full(&mut run, 1);
    run.sink.set_state(gst::State::Null).expect("it stops");
    assert_eq!(run.messages().0, []);
    assert_eq!(foreign::ffprobe(&location, "nb_read_packets"), (65_536 / 216 - 1).to_string());
    foreign::mp3val(&location);
}

#[test]
fn a_device_that_is_full_is_an_error_too() {
    let mut run = Run::with_caps("", "/dev/full", MONO_16K);
    assert_eq!(run.push(&[0, 0]), Err(gst::FlowError::Error));
    let (_, errors) = run.messages();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].kind::<gst::ResourceError>(), Some(gst::ResourceError::NoSpaceLeft));
    run.end(1);
}

#[track_caller]
fn check_refused(properties: &str, text: &str) {
    let mut run = Run::new("", properties);
    run.harness.set_src_caps_str(MONO_16K);
    assert_eq!(run.push(&[0, 0]).err(), Some(gst::FlowError::Error), "{properties}");
    let (_, errors) = run.messages();
    assert_eq!(errors.len(), 1, "{properties}");
    assert_eq!(errors[0].kind::<gst::ResourceError>(), Some(gst::ResourceError::OpenWrite));
    assert!(errors[0].message().contains(text), "{}", errors[0].message());
    assert_eq!(run.end(1), None, "{properties}");
}

#[test]
fn a_location_in_a_missing_directory_is_an_error() {
    let dir = Dir::new();
    let location = dir.file("missing/a.wav");
    check_refused(&format!("location={location}"), &location);
    assert!(!Path::new(&location).exists());
}

#[test]
fn an_existing_file_is_refused_without_overwrite() {
    let dir = Dir::new();
    let location = dir.file("a.wav");
    std::fs::write(&location, "precious").expect("a file for the test");
    check_refused(&format!("location={location} overwrite=false"), "must not be overwritten");
    assert_eq!(std::fs::read(&location).expect("the file is there"), b"precious");
}

#[test]
fn a_named_pipe_is_refused_before_it_can_block() {
    let dir = Dir::new();
    let location = dir.file("pipe");
    foreign::run("mkfifo", &[&location]);
    // A reader, so that an open does not hang the test.
    let reader = std::fs::OpenOptions::new().read(true).write(true).open(&location);
    check_refused(&format!("location={location}"), &location);
    drop(reader.expect("a pipe for the test"));
}

#[test]
fn files_are_their_owners_only() {
    use std::os::unix::fs::PermissionsExt;
    let dir = Dir::new();
    let mut run = Run::with_caps("", &dir.file("a.wav"), MONO_16K);
    run.end(0);
    let mode = std::fs::metadata(dir.file("a.wav")).expect("the file is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
