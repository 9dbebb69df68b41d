//! What is sent of a file, decoded by GStreamer from the capture.

use std::path::{Path, PathBuf};

use crate::support::RATE;
use crate::support::captured::{Captured, T0, capture_with, indices};
use crate::support::judge;
use crate::support::signal;
use crate::support::sound::{scaled, speech, tone};
use crate::support::wav::{self, Wav};

/// 700 Hz for a second, 1 900 Hz for half a second, at −12 dBFS, in two channels of 44.1 kHz.
fn two_tones(dir: &Path) -> Vec<PathBuf> {
    let path = dir.join("two tones.wav");
    let tones = [tone(700.0, 44_100, 44_100, 8_192.0), tone(1_900.0, 44_100, 22_050, 8_192.0)].concat();
    let both: Vec<_> = tones.iter().flat_map(|sample| [*sample, *sample]).collect();
    wav::write(&path, 44_100, 2, &both);
    vec![path]
}

/// Decodes a capture with GStreamer's own elements.
#[track_caller]
fn decoded(call: &Captured, codec: &str, payload_type: u8, clock: u32) -> Wav {
    let (name, chain) = match codec {
        "opus" => ("OPUS", "rtpopusdepay ! opusdec"),
        "pcmu" => ("PCMU", "rtppcmudepay ! mulawdec"),
        "pcma" => ("PCMA", "rtppcmadepay ! alawdec"),
        "g722" => ("G722", "rtpg722depay ! avdec_g722"),
        _ => ("L16", "rtpL16depay"),
    };
    let wav = call.path.with_extension("wav");
    let line = format!(
        "-q filesrc location={} ! pcapparse dst-port=5004 caps=application/x-rtp,media=audio,clock-rate={clock},\
         encoding-name={name},payload={payload_type} ! {chain} ! audioconvert ! audioresample ! \
         audio/x-raw,format=S16LE,rate=16000,channels=1 ! wavenc ! filesink location={}",
        call.path.display(),
        wav.display()
    );
    judge::run("gst-launch-1.0", line.split_whitespace());
    Wav::read(&wav)
}

#[test]
fn every_codec_is_heard_as_it_was_said() {
    for (codec, payload_type, clock, payload_bytes) in [
        ("opus", 111, 48_000, 0),
        ("pcmu", 0, 8_000, 160),
        ("pcma", 8, 8_000, 160),
        ("g722", 9, 8_000, 160),
        ("l16", 96, 16_000, 640),
    ] {
        let call = capture_with(&format!("--codec {codec}"), two_tones);
        let packets = call.rtp(0);
        // The look-ahead may need a frame of its own.
        assert!((75..=76).contains(&packets.len()), "{codec}: {}", packets.len());
        let first = u16::try_from(call.number("streams/0/firstSequence")).expect("16 bits");
        let timestamp = call.number("streams/0/firstTimestamp");
        assert_eq!(indices(&packets, first), (0..packets.len() as u64).collect::<Vec<_>>(), "{codec}");
        for (n, packet) in packets.iter().enumerate() {
            let n = n as u64;
            assert_eq!(packet.ns, T0 + n * 20_000_000, "{codec} {n}");
            assert_eq!(u64::from(packet.timestamp), (timestamp + n * u64::from(clock / 50)) % (1 << 32), "{codec} {n}");
            assert_eq!((packet.payload_type, packet.marker), (payload_type, false), "{codec} {n}");
            assert!(payload_bytes == 0 || packet.payload.len() == payload_bytes, "{codec} {n}");
        }
        let heard = decoded(&call, codec, payload_type, clock).samples;
        let level = |from_ms: usize, hz: f64| signal::tone_db(&heard[from_ms * 16..][..6_400], RATE, hz);
        for (from_ms, is, is_not) in [(100, 700.0, 1_900.0), (500, 700.0, 1_900.0), (1_050, 1_900.0, 700.0)] {
            assert!((level(from_ms, is) + 12.04).abs() < 1.5, "{codec}: {} dBFS at {from_ms} ms", level(from_ms, is));
            assert!(level(from_ms, is_not) < -45.0, "{codec}: {} dBFS at {from_ms} ms", level(from_ms, is_not));
        }
    }
}

#[test]
fn every_codec_is_heard_when_it_was_said() {
    let said = speech(1, 2 * RATE);
    let file = |dir: &Path| {
        let path = dir.join("speech.wav");
        wav::write(&path, RATE as u32, 1, &said);
        vec![path]
    };
    // G.722's filters take 22 samples, Opus's look-ahead 6.5 ms.
    for (codec, payload_type, clock, late) in [
        ("opus", 111, 48_000, 104),
        ("pcmu", 0, 8_000, 0),
        ("pcma", 8, 8_000, 0),
        ("g722", 9, 8_000, 22),
        ("l16", 96, 16_000, 0),
    ] {
        let call = capture_with(&format!("--codec {codec}"), file);
        let heard = decoded(&call, codec, payload_type, clock).samples;
        let lag = signal::lag(&said, &heard, 200);
        // Opus shifts phases by a sample.
        assert!((lag - late).abs() <= i64::from(codec == "opus") * 2, "{codec}: {lag} samples late, not {late}");
    }
}

/// 1 s of tone, 1.4 s at −70 dBFS, 0.6 s of tone, 1 s of digital silence.
fn spurts(dir: &Path) -> Vec<PathBuf> {
    let path = dir.join("spurts.wav");
    let loud = tone(500.0, RATE, RATE, 8_192.0);
    let quiet = scaled(&tone(900.0, RATE, RATE * 14 / 10, 32_768.0), 0.000_447);
    wav::write(&path, RATE as u32, 1, &[&loud[..], &quiet, &loud[..RATE * 6 / 10], &[0; RATE]].concat());
    vec![path]
}

#[test]
fn silence_is_not_sent_with_dtx() {
    for (codec, ticks, has_noise) in
        [("pcmu", 160, true), ("pcma", 160, true), ("g722", 160, false), ("l16", 320, false)]
    {
        let call = capture_with(&format!("--dtx --codec {codec}"), spurts);
        let packets = call.rtp(0);
        let first = u16::try_from(call.number("streams/0/firstSequence")).expect("16 bits");
        let timestamp = call.number("streams/0/firstTimestamp");
        assert_eq!(indices(&packets, first), (0..packets.len() as u64).collect::<Vec<_>>(), "{codec}: contiguous");
        let place = |timestamp_of: u32| u64::from(timestamp_of.wrapping_sub(timestamp as u32)) / ticks;
        let (noises, voices): (Vec<_>, Vec<_>) = packets.iter().partition(|packet| packet.payload_type == 13);
        // 50 frames, 200 ms, then from frame 120 on 30 frames and 200 ms.
        let places: Vec<_> = voices.iter().map(|packet| place(packet.timestamp)).collect();
        // The resampler smears each edge by less than a frame.
        let expected: Vec<_> = (0..60).chain(120..160).collect();
        let differs = expected.iter().filter(|place| !places.contains(place)).count()
            + places.iter().filter(|place| !expected.contains(place)).count();
        assert!(differs <= 4, "{codec}: {places:?}");
        let marked: Vec<_> =
            packets.iter().filter(|packet| packet.marker).map(|packet| place(packet.timestamp)).collect();
        assert!(marked == [0, 120] || marked == [0, 119], "{codec}: {marked:?}");
        for packet in &packets {
            assert_eq!(packet.ns, T0 + place(packet.timestamp) * 20_000_000, "{codec}");
        }
        if !has_noise {
            assert!(noises.is_empty(), "{codec}");
            continue;
        }
        let levels: Vec<_> = noises.iter().map(|packet| packet.payload.clone()).collect();
        // A sine of 0.000447 of full scale is 70 dB below a square of full scale; samples of 16 bits make it 69 to 71.
        assert!(levels.len() == 2 && (69..=71).contains(&levels[0][0]) && levels[1] == [127], "{codec}: {levels:?}");
        let report = call.reports(0).pop().expect("a goodbye");
        assert_eq!((report.is_goodbye, report.ns), (true, T0 + 4_000_000_000), "{codec}: as long as the file");
    }
}

#[test]
fn opus_leaves_out_what_its_encoder_does() {
    let with = |words: &str| capture_with(&format!("--codec opus {words}"), spurts);
    let (dtx, all) = (with("--dtx"), with(""));
    let packets = dtx.rtp(0);
    assert!(all.rtp(0).len() >= 200 && packets.len() < 170, "{} of {}", packets.len(), all.rtp(0).len());
    let timestamp = dtx.number("streams/0/firstTimestamp") as u32;
    let mut last = None;
    for packet in &packets {
        let place = packet.timestamp.wrapping_sub(timestamp) / 960;
        assert_eq!(
            (place * 960, packet.ns),
            (packet.timestamp.wrapping_sub(timestamp), T0 + u64::from(place) * 20_000_000)
        );
        assert_eq!(packet.marker, last.is_none_or(|last| place != last + 1), "frame {place}");
        last = Some(place);
    }
    // As long as the file; of a last frame that is not whole nobody knows.
    assert!(dtx.reports(0).pop().expect("a goodbye").ns >= T0 + 3_980_000_000);
}

#[test]
fn a_file_goes_on_over_and_over() {
    let call = capture_with("--codec pcma --loop --duration 4s", two_tones);
    assert_eq!(call.rtp(0).len(), 200);
    let heard = decoded(&call, "pcma", 8, 8_000).samples;
    for (from_ms, hz) in [(100, 700.0), (1_100, 1_900.0), (1_600, 700.0), (2_600, 1_900.0), (3_100, 700.0)] {
        let level = signal::tone_db(&heard[from_ms * 16..][..4_800], RATE, hz);
        assert!((level + 12.04).abs() < 1.0, "{level} dBFS of {hz} Hz at {from_ms} ms");
    }
}
