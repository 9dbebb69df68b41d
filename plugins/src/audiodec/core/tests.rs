//! The gap logic, with codecs judged by ffmpeg and by the speech that went in.

mod drift;
mod opus;

use super::*;
use crate::audiodec::codec::Channels;
use crate::audiodec::foreign::bytes;
use crate::audiodec::foreign::ffmpeg;
use crate::audiodec::foreign::lag;
use crate::audiodec::foreign::samples;
use crate::audiodec::foreign::speech;
use crate::audiodec::g711::Law;
use crate::audiodec::g722;
use crate::audiodec::pcm::Endianness;
use proptest::prelude::*;

const MS: u64 = 1_000_000;
const PCM_8K: Format = Format::Pcm { endianness: Endianness::Little, rate: 8_000, channels: Channels::Mono };
const MU_8K: Format = Format::G711 { law: Law::Mu, rate: 8_000, channels: Channels::Mono };
const OPUS: Format = Format::Opus { head: None };
const PRE_SKIP: u32 = 312;

fn packet(bytes: &[u8], pts_ns: u64) -> Packet<'_> {
    Packet { bytes, pts_ns: Some(pts_ns), ..Packet::default() }
}

fn lost(bytes: &[u8], pts_ns: u64) -> Packet<'_> {
    Packet { is_discont: true, ..packet(bytes, pts_ns) }
}

/// 20 ms of a ramp at 8 kHz, so that each sample tells where it came from.
fn ramp(from: i16) -> Vec<u8> {
    bytes(&(from..from + 160).collect::<Vec<_>>())
}

fn spans(blocks: &[Block]) -> Vec<(u64, usize, bool)> {
    blocks.iter().map(|block| (block.index, block.samples.len(), block.is_discont)).collect()
}

#[test]
fn packets_in_a_row_are_one_block_at_the_first_ones_time() {
    let mut core = Core::new(PCM_8K, 8_000, PRE_SKIP);
    for i in 0..5u64 {
        // Rounded to a millisecond up and down, as Matroska does.
        let rounding = if i % 2 == 0 { MS } else { 0 };
        core.packet(&packet(&ramp(160 * i as i16), 1_000 * MS + i * 20 * MS + rounding)).unwrap();
    }
    let blocks = core.take();
    assert_eq!(spans(&blocks), [(8_008, 800, true)]);
    assert_eq!(blocks[0].samples, (0..800).collect::<Vec<_>>());
    core.packet(&Packet { bytes: &ramp(0), ..Packet::default() }).unwrap();
    assert_eq!(spans(&core.take()), [(8_808, 160, false)]);
}

#[test]
fn short_loss_is_concealed_and_a_long_one_left_out() {
    for (hole_ms, expected) in [
        (20, vec![(0, 480, true)]),
        (60, vec![(0, 800, true)]),
        (61, vec![(0, 160, true), (648, 160, true)]),
        (2_000, vec![(0, 160, true), (16_160, 160, true)]),
    ] {
        let mut core = Core::new(PCM_8K, 8_000, PRE_SKIP);
        core.packet(&packet(&ramp(1_000), 0)).unwrap();
        core.packet(&lost(&ramp(5_000), (20 + hole_ms) * MS)).unwrap();
        let blocks = core.take();
        assert_eq!(spans(&blocks), expected, "{hole_ms} ms");
        assert_eq!(blocks.last().unwrap().samples.last(), Some(&5_159));
        let n_concealed = if hole_ms <= 60 { hole_ms * 8 } else { 0 };
        assert_eq!(core.stats().n_concealed, n_concealed);
    }
}

#[test]
fn pause_is_left_out_without_samples_or_memory() {
    let mut core = Core::new(MU_8K, 16_000, PRE_SKIP);
    core.packet(&packet(&[0xff; 160], 0)).unwrap();
    core.packet(&packet(&[0xff; 160], 3_600_000 * MS)).unwrap();
    core.finish();
    assert_eq!(spans(&core.take()), [(0, 320, true), (57_600_000, 320, true)]);
    assert_eq!((core.stats().n_concealed, core.stats().n_comfort, core.stats().n_disconts), (0, 0, 1));
}

#[test]
fn positions_are_never_emitted_twice() {
    let mut core = Core::new(PCM_8K, 8_000, PRE_SKIP);
    core.packet(&packet(&ramp(0), 0)).unwrap();
    core.packet(&packet(&ramp(160), 20 * MS)).unwrap();
    core.packet(&packet(&ramp(160), 20 * MS)).unwrap();
    core.packet(&packet(&ramp(0), 0)).unwrap();
    core.packet(&packet(&ramp(240), 30 * MS)).unwrap();
    core.packet(&lost(&ramp(392), 49 * MS)).unwrap();
    let blocks = core.take();
    assert_eq!(spans(&blocks), [(0, 552, true)]);
    assert_eq!(blocks[0].samples, (0..552).collect::<Vec<_>>());
    assert_eq!(core.stats().n_overlapping, 160 + 160 + 80 + 8);
}

/// A packet that comes when its spurt has ended, for a time that downstream was told to be empty; or from a stream that
/// begins anew at times that have passed.
#[test]
fn what_comes_after_its_spurt_has_ended_is_counted_too() {
    let mut core = Core::new(PCM_8K, 8_000, PRE_SKIP);
    core.packet(&packet(&ramp(0), 0)).unwrap();
    core.gap(20 * MS, 20 * MS, Before::Nothing);
    core.packet(&packet(&ramp(80), 10 * MS)).unwrap();
    assert_eq!(spans(&core.take()), [(0, 160, true)]);
    assert_eq!(core.stats().n_overlapping, 160);
    core.finish();
    core.packet(&packet(&ramp(0), 0)).unwrap();
    assert_eq!(core.take(), []);
    assert_eq!(core.stats().n_overlapping, 160 + 160);
}

#[test]
fn clipping_cuts_and_the_time_is_that_of_the_first_sample_left() {
    let mut core = Core::new(PCM_8K, 8_000, PRE_SKIP);
    core.packet(&Packet { clip_start_ns: 5 * MS, ..packet(&ramp(0), 100 * MS) }).unwrap();
    core.packet(&Packet { clip_end_ns: 10 * MS, ..packet(&ramp(160), 115 * MS) }).unwrap();
    let blocks = core.take();
    assert_eq!(spans(&blocks), [(800, 200, true)]);
    assert_eq!(blocks[0].samples, (40..240).collect::<Vec<_>>());
    assert_eq!(core.stats().n_clipped, 120);
}

#[test]
fn gap_event_ends_a_spurt_or_announces_a_loss() {
    let mut core = Core::new(PCM_8K, 8_000, PRE_SKIP);
    assert_eq!(core.gap(0, 20 * MS, Before::Nothing), GapFate::Empty { from_ns: 0 });
    core.packet(&packet(&ramp(0), 0)).unwrap();
    assert_eq!(core.gap(20 * MS, 20 * MS, Before::Loss), GapFate::Filled);
    assert_eq!(core.gap(40 * MS, 20 * MS, Before::Loss), GapFate::Filled);
    core.packet(&packet(&ramp(0), 60 * MS)).unwrap();
    // The first packet came for a time that was told to be empty.
    assert_eq!(spans(&core.take()), [(160, 480, true)]);
    assert_eq!(core.gap(80 * MS, 70 * MS, Before::Loss), GapFate::Empty { from_ns: 80 * MS });
    core.packet(&packet(&ramp(0), 150 * MS)).unwrap();
    assert_eq!(core.gap(160 * MS, 20 * MS, Before::Nothing), GapFate::Empty { from_ns: 170 * MS });
    assert_eq!(spans(&core.take()), [(1_200, 160, true)]);
    assert_eq!(core.stats().n_concealed, 320);
}

#[test]
fn segment_bounds_cut_the_output() {
    let mut core = Core::new(PCM_8K, 8_000, PRE_SKIP);
    core.begin_timeline(10 * MS..35 * MS, 0);
    core.packet(&packet(&ramp(0), 0)).unwrap();
    core.packet(&packet(&ramp(160), 20 * MS)).unwrap();
    let blocks = core.take();
    assert_eq!(spans(&blocks), [(80, 200, true)]);
    assert_eq!(blocks[0].samples[0], 80);
}

#[test]
fn g722_stands_where_it_was_spoken() {
    let speech = speech();
    let args = ["-f", "s16le", "-ar", "16000", "-ac", "1", "-i", "pipe:0", "-c:a", "g722", "-f", "g722", "pipe:1"];
    let coded = ffmpeg(&args, &bytes(&speech));
    let theirs = samples(&ffmpeg(&["-f", "g722", "-i", "pipe:0", "-f", "s16le", "pipe:1"], &coded));
    let mut core = Core::new(Format::G722, 16_000, PRE_SKIP);
    for (i, piece) in coded.chunks(160).enumerate() {
        core.packet(&packet(piece, i as u64 * 20 * MS)).unwrap();
    }
    core.finish();
    let blocks = core.take();
    assert_eq!(spans(&blocks), [(0, speech.len(), true)]);
    let delay = g722::DELAY_SAMPLES;
    assert_eq!(blocks[0].samples[..theirs.len() - delay], theirs[delay..]);
    assert_eq!(lag(&speech, &blocks[0].samples, 50), 0);
}

#[test]
fn each_g722_spurt_is_as_long_as_its_packets() {
    let mut core = Core::new(Format::G722, 16_000, PRE_SKIP);
    for pts in [0, 20, 300, 320] {
        core.packet(&packet(&[0x7a; 160], pts * MS)).unwrap();
    }
    core.finish();
    assert_eq!(spans(&core.take()), [(0, 640, true), (4_800, 640, true)]);
}

/// Decodes packets of `packet_ms` in a row, taking the output after every `n_batch`.
fn decoded(core: &mut Core, packets: &[Vec<u8>], packet_us: u64, n_batch: usize) -> Vec<i16> {
    let mut output = Vec::new();
    for (i, bytes) in packets.iter().enumerate() {
        core.packet(&packet(bytes, i as u64 * packet_us * 1000)).unwrap();
        if i % n_batch == n_batch - 1 {
            output.extend(core.take().into_iter().flat_map(|block| block.samples));
        }
    }
    core.finish();
    output.extend(core.take().into_iter().flat_map(|block| block.samples));
    output
}

#[test]
fn output_does_not_depend_on_when_it_is_taken() {
    let coded = ramp(0).repeat(60);
    let packets: Vec<_> = coded.chunks(320).map(<[u8]>::to_vec).collect();
    for rate_out in [8_000, 16_000, 44_100] {
        let run = |n_batch| decoded(&mut Core::new(PCM_8K, rate_out, PRE_SKIP), &packets, 20_000, n_batch);
        assert_eq!(run(1), run(60));
        assert_eq!(run(1), run(7));
        assert_eq!(run(1).len(), (coded.len() / 2 * rate_out as usize) / 8_000);
    }
}

#[test]
fn format_and_rate_change_in_mid_stream() {
    let mut core = Core::new(MU_8K, 8_000, PRE_SKIP);
    core.packet(&packet(&[0xff; 160], 0)).unwrap();
    core.finish();
    assert_eq!(spans(&core.take()), [(0, 160, true)]);
    core.change(Format::G722, 16_000);
    core.packet(&packet(&[0x7a; 160], 20 * MS)).unwrap();
    core.finish();
    assert_eq!(spans(&core.take()), [(320, 320, false)]);
}

#[test]
fn flush_forgets_time_and_codec() {
    let coded: Vec<u8> = (0..=255).cycle().take(1_600).map(|b: u32| (b * 37 % 251) as u8).collect();
    let mut core = Core::new(Format::G722, 44_100, PRE_SKIP);
    let run = |core: &mut Core| {
        coded.chunks(160).enumerate().for_each(|(i, piece)| core.packet(&packet(piece, i as u64 * 20 * MS)).unwrap());
        core.finish();
        core.take()
    };
    let first = run(&mut core);
    core.packet(&packet(&coded, 900 * MS)).unwrap();
    core.flush();
    assert_eq!(run(&mut core), first);
}

fn formats() -> impl Strategy<Value = Format> {
    let stereo = Format::Pcm { endianness: Endianness::Big, rate: 48_000, channels: Channels::Stereo };
    proptest::sample::select(vec![OPUS, MU_8K, Format::G722, PCM_8K, stereo])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_packets_at_any_times_give_rising_indices(
        format in formats(),
        rate_out in proptest::sample::select(vec![8_000u32, 16_000, 44_100, 48_000]),
        events in proptest::collection::vec(
            (proptest::collection::vec(any::<u8>(), 0..400), -30_000i64..150_000, any::<bool>(), 0u8..8),
            1..40,
        ),
    ) {
        let mut core = Core::new(format, rate_out, PRE_SKIP);
        let mut now_us = 1_000_000i64;
        let mut end = 0;
        for (bytes, step_us, flag, kind) in events {
            now_us += step_us;
            let pts_ns = now_us.max(0) as u64 * 1000;
            let before = if flag { Before::Loss } else { Before::Nothing };
            match kind {
                0 => drop(core.gap(pts_ns, bytes.len() as u64 * MS, before)),
                1 => core.finish(),
                2 => drop(core.packet(&Packet { bytes: &bytes, is_discont: flag, ..Packet::default() })),
                _ => drop(core.packet(&Packet { is_discont: flag, ..packet(&bytes, pts_ns) })),
            }
            for block in core.take() {
                prop_assert!(block.index >= end && !block.samples.is_empty());
                prop_assert!(block.is_discont || block.index == end);
                end = block.end();
            }
        }
    }
}
