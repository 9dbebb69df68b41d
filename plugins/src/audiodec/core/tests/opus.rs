//! The gap logic with Opus: places, losses, DTX, headers.

use super::*;
use crate::audiodec::foreign::ogg_packets;
use crate::audiodec::foreign::opusdec_48k;
use crate::audiodec::foreign::opusenc;
use crate::audiodec::opus;

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

#[test]
fn container_that_cuts_the_look_ahead_off_is_not_corrected_twice() {
    let speech = speech_48k();
    let packets = opus_packets(&mut encoder(48_000, ::opus::Channels::Mono), &speech, 20_000);
    let mut core = Core::new(OPUS, 16_000, PRE_SKIP);
    core.begin_timeline(6_500_000..u64::MAX, 0);
    let output = decoded(&mut core, &packets, 20_000, 5);
    assert_eq!(output.len(), packets.len() * 320 - 104);
    assert_eq!(lag(&at_rate(&speech, 16_000), &output, 120), 0);
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
    let n_at_end =
        packets.iter().rev().skip_while(|bytes| bytes.len() > 2).take_while(|bytes| bytes.len() <= 2).count();
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
    let from_ns = end_ns + 400 * MS;
    assert_eq!(core.gap(end_ns + 200 * MS, 5_000 * MS, Before::Nothing), GapFate::Empty { from_ns });
    assert_eq!(core.stats().n_comfort, 6_400);
    core.take();
    core.packet(&packet(&packets[0], end_ns + 5_200 * MS)).unwrap();
    assert!(core.take()[0].is_discont);
}

#[test]
fn whether_times_have_the_delay_taken_out_is_known_for_a_stream_and_through_its_flushes() {
    let packets = opus_packets(&mut encoder(48_000, ::opus::Channels::Mono), &speech_48k()[..960], 20_000);
    let mut core = Core::new(OPUS, 16_000, PRE_SKIP);
    // Ogg clips the delay off the first packet.
    core.packet(&Packet { clip_start_ns: 6_500_000, ..packet(&packets[0], 0) }).unwrap();
    core.finish();
    assert_eq!(spans(&core.take()), [(0, 216, true)]);
    core.flush();
    core.packet(&packet(&packets[0], 0)).unwrap();
    assert_eq!(spans(&core.take()), [(0, 320, true)], "a seek changes nothing");
    core.finish();
    core.begin_stream();
    core.packet(&packet(&packets[0], 100 * MS)).unwrap();
    assert_eq!(spans(&core.take()), [(1_600, 216, true)], "the delay is dropped at the begin");
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
