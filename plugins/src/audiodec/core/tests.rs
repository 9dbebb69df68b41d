//! The gap logic, with codecs judged by ffmpeg and by the speech that went in.

use super::*;
use crate::audiodec::codec::Channels;
use crate::audiodec::foreign::bytes;
use crate::audiodec::foreign::ffmpeg;
use crate::audiodec::foreign::lag;
use crate::audiodec::foreign::ogg_packets;
use crate::audiodec::foreign::opusdec_48k;
use crate::audiodec::foreign::opusenc;
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
    assert_eq!(core.gap(0, 20 * MS, Before::Nothing), GapFate::Empty);
    core.packet(&packet(&ramp(0), 0)).unwrap();
    assert_eq!(core.gap(20 * MS, 20 * MS, Before::Loss), GapFate::Filled);
    assert_eq!(core.gap(40 * MS, 20 * MS, Before::Loss), GapFate::Filled);
    core.packet(&packet(&ramp(0), 60 * MS)).unwrap();
    assert_eq!(spans(&core.take()), [(0, 640, true)]);
    assert_eq!(core.gap(80 * MS, 70 * MS, Before::Loss), GapFate::Empty);
    core.packet(&packet(&ramp(0), 150 * MS)).unwrap();
    assert_eq!(core.gap(170 * MS, 20 * MS, Before::Nothing), GapFate::Empty);
    assert_eq!(spans(&core.take()), [(1_200, 160, true)]);
    assert_eq!(core.stats().n_concealed, 320);
}

#[test]
fn segment_bounds_cut_the_output() {
    let mut core = Core::new(PCM_8K, 8_000, PRE_SKIP);
    core.begin_timeline(10 * MS..35 * MS);
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

fn encoder(rate: u32, channels: ::opus::Channels) -> ::opus::Encoder {
    ::opus::Encoder::new(rate, channels, ::opus::Application::Voip).unwrap()
}

/// Speech at 48 kHz as `packet_us` long packets.
fn opus_packets(encoder: &mut ::opus::Encoder, pcm: &[i16], packet_us: usize) -> Vec<Vec<u8>> {
    pcm.chunks_exact(48 * packet_us / 1000).map(|piece| encoder.encode_vec(piece, 4_000).unwrap()).collect()
}

fn speech_48k() -> Vec<i16> {
    let filter = "aresample=resampler=soxr:precision=28";
    let args = ["-f", "s16le", "-ar", "16000", "-ac", "1", "-i", "pipe:0", "-af", filter];
    samples(&ffmpeg(&[&args[..], &["-ar", "48000", "-f", "s16le", "pipe:1"]].concat(), &bytes(&speech()[..80_000])))
}

fn at_rate(pcm_48k: &[i16], rate: u32) -> Vec<i16> {
    let mut resampler = Resampler::new(48_000, rate);
    let mut output = Vec::new();
    resampler.push(pcm_48k, &mut output);
    resampler.drain(&mut output);
    output
}

#[test]
fn opus_of_every_bandwidth_stands_where_it_was_spoken() {
    use ::opus::Bandwidth;
    let speech = speech_48k();
    let bandwidths = [
        Bandwidth::Narrowband,
        Bandwidth::Mediumband,
        Bandwidth::Wideband,
        Bandwidth::Superwideband,
        Bandwidth::Fullband,
    ];
    for bandwidth in bandwidths {
        let mut encoder = encoder(48_000, ::opus::Channels::Mono);
        encoder.set_bitrate(::opus::Bitrate::Bits(32_000)).unwrap();
        encoder.set_bandwidth(bandwidth).unwrap();
        assert_eq!(encoder.get_lookahead().unwrap(), PRE_SKIP as i32);
        let packets = opus_packets(&mut encoder, &speech, 20_000);
        for rate in [8_000, 12_000, 16_000, 24_000, 44_100, 48_000] {
            let output = decoded(&mut Core::new(OPUS, rate, PRE_SKIP), &packets, 20_000, 5);
            let original = at_rate(&speech, rate);
            assert_eq!(output.len(), original.len());
            let lag = lag(&original, &output, 40);
            // libopus joins its two codecs to within 3 samples of 48 kHz, 62 µs, whoever decodes.
            let is_exact = rate < 16_000 || (rate == 16_000 && bandwidth != Bandwidth::Mediumband);
            let lag_max = if is_exact { 0 } else { i64::from((3 * rate).div_ceil(48_000)) };
            assert!(lag.abs() <= lag_max, "{bandwidth:?} at {rate} Hz: {lag} samples");
        }
    }
}

#[test]
fn opusdec_says_the_same_samples() {
    let speech = speech();
    let file = opusenc(&speech);
    let theirs = opusdec_48k(&file);
    let packets = ogg_packets(&file);
    let format = Format::Opus { head: opus::Head::read(&packets[0]) };
    let ours = decoded(&mut Core::new(format, 48_000, 0), &packets[2..], 20_000, 5);
    assert_eq!(theirs.len(), 3 * speech.len());
    let ours = &ours[..theirs.len()];
    assert_eq!(lag(&theirs, ours, 40), 0);
    let square = |(a, b): (&i16, &i16)| f64::from(i32::from(*a) - i32::from(*b)).powi(2);
    let noise: f64 = theirs.iter().zip(ours).map(square).sum();
    let signal: f64 = theirs.iter().map(|s| f64::from(*s).powi(2)).sum();
    // Not equal to the bit: opusdec has another version of libopus.
    let snr_db = 10.0 * (signal / noise).log10();
    assert!(snr_db > 60.0, "{snr_db} dB");

    let at_16_khz = decoded(&mut Core::new(format, 16_000, 0), &packets[2..], 20_000, 5);
    assert_eq!(lag(&speech, &at_16_khz, 40), 0);
}

#[test]
fn opus_packets_of_every_duration_make_one_block() {
    let speech = speech_48k();
    for packet_us in [2_500, 5_000, 10_000, 20_000, 40_000, 60_000, 80_000, 100_000, 120_000] {
        for application in [::opus::Application::Voip, ::opus::Application::Audio] {
            let mut encoder = ::opus::Encoder::new(48_000, ::opus::Channels::Mono, application).unwrap();
            let packets = opus_packets(&mut encoder, &speech, packet_us);
            let output = decoded(&mut Core::new(OPUS, 16_000, PRE_SKIP), &packets, packet_us as u64, 3);
            assert_eq!(output.len(), packets.len() * packet_us * 16 / 1000);
            let lag = lag(&at_rate(&speech, 16_000), &output, 40);
            assert_eq!(lag, 0, "{packet_us} µs");
        }
    }
}

#[test]
fn stereo_opus_becomes_mono() {
    let speech = speech_48k();
    let interleaved: Vec<i16> = speech.iter().flat_map(|&s| [s, s]).collect();
    let mut encoder = encoder(48_000, ::opus::Channels::Stereo);
    let packets: Vec<_> =
        interleaved.chunks_exact(1_920).map(|piece| encoder.encode_vec(piece, 4_000).unwrap()).collect();
    let output = decoded(&mut Core::new(OPUS, 16_000, PRE_SKIP), &packets, 20_000, 5);
    let original = at_rate(&speech, 16_000);
    assert_eq!(lag(&original, &output, 40), 0);
    let power = |samples: &[i16]| samples.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>();
    let gain_db = 10.0 * (power(&output) / power(&original)).log10();
    assert!(gain_db.abs() < 1.0, "{gain_db} dB");
}

#[test]
fn sender_that_takes_its_look_ahead_out_itself_is_not_corrected_twice() {
    let speech = speech_48k();
    let packets = opus_packets(&mut encoder(48_000, ::opus::Channels::Mono), &speech, 20_000);
    let mut core = Core::new(OPUS, 16_000, PRE_SKIP);
    for (i, bytes) in packets.iter().enumerate() {
        core.packet(&packet(bytes, (i as u64 * 20 * MS).saturating_sub(6_500_000))).unwrap();
    }
    core.finish();
    let blocks = core.take();
    assert_eq!(spans(&blocks), [(0, packets.len() * 320 - 104, true)]);
    assert_eq!(lag(&at_rate(&speech, 16_000), &blocks[0].samples, 120), 0);
    assert_eq!(core.stats().n_overlapping, 0);
}

/// Decodes with every tenth packet lost; returns the output and the numbers.
fn with_losses(packets: &[Vec<u8>]) -> (Vec<i16>, Stats) {
    let mut core = Core::new(OPUS, 16_000, PRE_SKIP);
    let mut is_lost = false;
    for (i, bytes) in packets.iter().enumerate() {
        if i % 10 == 5 {
            is_lost = true;
            continue;
        }
        let at = packet(bytes, i as u64 * 20 * MS);
        core.packet(&Packet { is_discont: std::mem::take(&mut is_lost), ..at }).unwrap();
    }
    core.finish();
    let blocks = core.take();
    assert_eq!(blocks.len(), 1);
    (blocks[0].samples.clone(), core.stats())
}

#[test]
fn lost_opus_frames_come_back_from_redundancy() {
    let speech = speech_48k();
    let mut encoder = encoder(48_000, ::opus::Channels::Mono);
    encoder.set_bitrate(::opus::Bitrate::Bits(32_000)).unwrap();
    encoder.set_bandwidth(::opus::Bandwidth::Wideband).unwrap();
    let plain = opus_packets(&mut encoder, &speech, 20_000);
    encoder.reset_state().unwrap();
    encoder.set_inband_fec(true).unwrap();
    encoder.set_packet_loss_perc(20).unwrap();
    let redundant = opus_packets(&mut encoder, &speech, 20_000);

    let error = |packets: &[Vec<u8>]| {
        let whole = decoded(&mut Core::new(OPUS, 16_000, PRE_SKIP), packets, 20_000, 1);
        let (holed, stats) = with_losses(packets);
        assert_eq!(whole.len(), holed.len());
        assert_eq!(lag(&whole, &holed, 40), 0);
        let square = |(a, b): (&i16, &i16)| f64::from(i32::from(*a) - i32::from(*b)).powi(2);
        (whole.iter().zip(&holed).map(square).sum::<f64>(), stats)
    };
    let (error_plain, stats_plain) = error(&plain);
    let (error_redundant, stats) = error(&redundant);
    let n_lost = stats.n_fec_frames + stats.n_concealed / 320;
    assert_eq!(stats_plain.n_fec_frames, 0);
    assert_eq!(stats_plain.n_concealed / 320, n_lost);
    assert!(stats.n_fec_frames * 10 >= n_lost * 6, "{stats:?}");
    assert!(error_redundant < 0.5 * error_plain, "{error_redundant} against {error_plain}");
}

/// Speech, then silence in DTX: the packets and how many of them the sender would send.
fn dtx_packets() -> Vec<Vec<u8>> {
    let mut encoder = encoder(48_000, ::opus::Channels::Mono);
    encoder.set_dtx(true).unwrap();
    encoder.set_bitrate(::opus::Bitrate::Bits(24_000)).unwrap();
    let mut pcm = speech_48k()[..48_000].to_vec();
    let mut state = 1u32;
    pcm.extend((0..96_000).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 27) as i16 - 16
    }));
    opus_packets(&mut encoder, &pcm, 20_000)
}

#[test]
fn dtx_pauses_are_filled_with_comfort_noise() {
    let packets = dtx_packets();
    let mut core = Core::new(OPUS, 16_000, PRE_SKIP);
    let mut was_dtx = false;
    let mut n_unsent = 0;
    for (i, bytes) in packets.iter().enumerate() {
        // As WebRTC does: the first packet of a pause is sent, the others are not.
        let is_dtx = bytes.len() <= 2;
        if is_dtx && was_dtx {
            n_unsent += 1;
            continue;
        }
        was_dtx = is_dtx;
        core.packet(&packet(bytes, i as u64 * 20 * MS)).unwrap();
    }
    core.finish();
    assert!(n_unsent > 40, "the encoder was not in DTX");
    let blocks = core.take();
    let n_at_end = packets.iter().rev().skip_while(|bytes| bytes.len() > 2).take_while(|bytes| bytes.len() <= 2).count();
    let n_noise = core.stats().n_comfort / 320;
    assert!(n_noise >= n_unsent - n_at_end as u64, "{n_noise} of {n_unsent}");
    assert_eq!(blocks.len(), 1);
}

#[test]
fn comfort_noise_is_bounded_and_a_gap_event_asks_for_it_at_once() {
    let packets = dtx_packets();
    let first_dtx = packets.iter().position(|bytes| bytes.len() <= 2).unwrap();
    let mut core = Core::new(OPUS, 16_000, PRE_SKIP);
    for (i, bytes) in packets[..=first_dtx].iter().enumerate() {
        core.packet(&packet(bytes, i as u64 * 20 * MS)).unwrap();
    }
    core.take();
    let end_ns = (first_dtx as u64 + 1) * 20 * MS;
    assert_eq!(core.gap(end_ns, 100 * MS, Before::Nothing), GapFate::Filled);
    assert_eq!(core.take()[0].samples.len(), 1_600);
    assert_eq!(core.gap(end_ns + 100 * MS, 100 * MS, Before::Nothing), GapFate::Filled);
    assert_eq!(core.gap(end_ns + 200 * MS, 5_000 * MS, Before::Nothing), GapFate::Empty);
    assert_eq!(core.stats().n_comfort, 6_400);
    core.take();
    core.packet(&packet(&packets[0], end_ns + 5_200 * MS)).unwrap();
    assert!(core.take()[0].is_discont);
}

#[test]
fn corrupt_packets_are_concealed_until_there_are_too_many() {
    let speech = speech_48k();
    let packets = opus_packets(&mut encoder(48_000, ::opus::Channels::Mono), &speech, 20_000);
    // Code 3 with a frame count of 0 (RFC 6716 §3.2.5, R5).
    let broken = vec![0x4b, 0x00];
    let mut damaged = packets.clone();
    damaged[20] = broken.clone();
    damaged[30] = Vec::new();
    let mut core = Core::new(OPUS, 16_000, PRE_SKIP);
    let output = decoded(&mut core, &damaged, 20_000, 4);
    assert_eq!(output.len(), packets.len() * 320);
    assert_eq!((core.stats().n_corrupt, core.stats().n_concealed), (2, 640));

    let results: Vec<_> = (0..50).map(|i| core.packet(&packet(&broken, i * 20 * MS))).collect();
    assert!(results[..49].iter().all(Result::is_ok));
    assert_eq!(results[49], Err(TooManyCorrupt));
}

#[test]
fn header_gives_pre_skip_and_gain() {
    let head = opus::Head::read(b"OpusHead\x01\x02\x00\x0f\x80\xbb\x00\x00\x00\xfd\x00").unwrap();
    assert_eq!(head, opus::Head { pre_skip: 3_840, gain: -768 });
    assert_eq!(opus::Head::read(b"OpusHead\x01"), None);
    assert_eq!(opus::Head::read(b"OpusTags\x01\x02\x00\x0f\x80\xbb\x00\x00\x00\xfd\x00"), None);
    let packets = opus_packets(&mut encoder(48_000, ::opus::Channels::Mono), &speech_48k(), 20_000);
    let loudest = |gain| {
        let format = Format::Opus { head: Some(opus::Head { pre_skip: 312, gain }) };
        let output = decoded(&mut Core::new(format, 16_000, 0), &packets, 20_000, 1);
        assert_eq!(output.len(), packets.len() * 320);
        f64::from(output.iter().map(|s| i32::from(*s).abs()).max().unwrap())
    };
    let gain_db = 20.0 * (loudest(-1_536) / loudest(0)).log10();
    assert!((gain_db + 6.0).abs() < 0.05, "{gain_db} dB");
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
