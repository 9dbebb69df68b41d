//! A sender's clock that drifts from its samples: times are kept, and pauses to the sample.

use super::*;
use crate::audiodec::stats::Stats;

/// 20 ms at each of these rates.
fn n_of(rate: u32) -> usize {
    rate as usize / 50
}

fn pcm(rate: u32) -> Format {
    Format::Pcm { endianness: Endianness::Little, rate, channels: Channels::Mono }
}

/// Time of packet `n` of 20 ms from a sender that takes `ppm` longer for it, with a noise of ±20 µs.
fn pts_ns(n: usize, ppm: f64) -> u64 {
    let noise_ns = ((n as u32).wrapping_mul(2_654_435_761) >> 16) as f64 / 65_536.0 * 40_000.0 - 20_000.0;
    (1e9 + n as f64 * 2e7 * (1.0 + ppm * 1e-6) + noise_ns * f64::from(n > 0)) as u64
}

/// All that comes out of `input`, from sample 0 of a recording whose first packet is at 1 s; how it ended.
fn recorded(rate: u32, rate_out: u32, ppm: f64, input: &[i16], pause_ns: Option<Range<u64>>) -> (Vec<i16>, Stats) {
    let mut core = Core::new(pcm(rate), rate_out, PRE_SKIP);
    if let Some(pause) = pause_ns {
        let mut pauses = Timeline::default();
        let _ = pauses.pause(gst::ClockTime::from_nseconds(pause.start), gst::ClockTime::ZERO);
        let _ = pauses.resume(gst::ClockTime::from_nseconds(pause.end), gst::ClockTime::ZERO);
        core.set_pauses(pauses);
    }
    let mut stats = Stats::default();
    for (n, samples) in input.chunks(n_of(rate)).enumerate() {
        core.packet(&packet(&bytes(samples), pts_ns(n, ppm))).unwrap();
        stats = core.stats();
    }
    core.finish();
    let blocks = core.take();
    assert_eq!(blocks.len(), 1);
    assert_eq!(blocks[0].index, u64::from(rate_out));
    (blocks[0].samples.clone(), stats)
}

#[test]
fn an_hour_is_as_long_as_its_clock_says() {
    let n = 180_000;
    let mut core = Core::new(pcm(8_000), 8_000, PRE_SKIP);
    let quiet = bytes(&[0; 160]);
    let (mut end, mut n_blocks) = (8_000, 0);
    for i in 0..n {
        core.packet(&packet(&quiet, pts_ns(i, -300.0))).unwrap();
        if i % 5 == 4 {
            let blocks = core.take();
            n_blocks += blocks.iter().filter(|block| block.is_discont || block.index != end).count();
            end = blocks.last().unwrap().end();
        }
    }
    let stats = core.stats();
    core.finish();
    end = core.take().last().unwrap().end();
    // 3600 s less 300 ppm, and the second before; 0.5 ms are 4 samples.
    let exact = 8_000.0 + 28_800_000.0 * (1.0 - 300e-6);
    assert!((end as f64 - exact).abs() <= 4.5, "{end}, not {exact}");
    assert_eq!(n_blocks, 1, "all in one piece");
    assert_eq!((stats.n_overlapping, stats.n_concealed), (0, 0));
    assert!((stats.drift_ppb + 300_000).abs() < 10_000, "{} ppb", stats.drift_ppb);
    // It takes four seconds to come apart by more than a millisecond.
    assert!((28_700_000..28_780_000).contains(&stats.n_corrected), "{}", stats.n_corrected);
}

#[test]
fn times_that_are_rounded_to_a_millisecond_change_nothing() {
    let input: Vec<i16> = (0..480_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 17) as i16).collect();
    for rate_out in [16_000, 48_000] {
        let run = |round: fn(u64) -> u64| {
            let mut core = Core::new(pcm(48_000), rate_out, PRE_SKIP);
            for (n, samples) in input.chunks(1_024).enumerate() {
                core.packet(&packet(&bytes(samples), round(n as u64 * 1_024_000_000 / 48))).unwrap();
            }
            core.finish();
            (core.take(), core.stats())
        };
        let exact = run(|ns| ns);
        for rounded in [run(|ns| ns / MS * MS), run(|ns| ns.div_ceil(MS) * MS)] {
            assert!(rounded == exact, "to {rate_out} Hz");
        }
        assert_eq!(exact.1.n_corrected, 0);
    }
}

/// With 30 ms made up, what is lost or comes twice is still told from where samples are, not from how many there were.
#[test]
fn losses_and_overlaps_are_judged_where_samples_are() {
    for ppm in [500.0, -500.0] {
        let mut core = Core::new(pcm(8_000), 16_000, PRE_SKIP);
        let quiet = bytes(&[0; 160]);
        for n in 0..3_000 {
            core.packet(&packet(&quiet, pts_ns(n, ppm))).unwrap();
        }
        core.packet(&lost(&quiet, pts_ns(3_001, ppm))).unwrap();
        // 160, and what is left of the drift, at most 0.6 ms.
        assert!(core.stats().n_concealed.abs_diff(160) <= 5, "{ppm}: {}", core.stats().n_concealed);
        core.packet(&packet(&quiet, pts_ns(3_001, ppm))).unwrap();
        assert!(core.stats().n_overlapping.abs_diff(160) <= 5, "{ppm}: {}", core.stats().n_overlapping);
        core.packet(&packet(&quiet, pts_ns(3_002, ppm))).unwrap();
        assert_eq!(core.take().len(), 1);
        // A pause of the sender begins a spurt, which nobody has corrected.
        core.packet(&packet(&quiet, pts_ns(3_100, ppm))).unwrap();
        let n_corrected = core.stats().n_corrected;
        assert_eq!(core.stats().drift_ppb, 0);
        core.packet(&packet(&quiet, pts_ns(3_101, ppm))).unwrap();
        assert_eq!(core.stats().n_corrected, n_corrected);
        let at = pts_ns(3_100, ppm) as f64 * 16e-6;
        assert!((core.take()[1].index as f64 - at).abs() <= 0.5);
    }
}

#[test]
fn opus_stands_where_it_was_spoken_though_its_clock_drifts() {
    let speech = speech().repeat(6);
    for ppm in [400.0, -400.0] {
        let mut encoder = ::opus::Encoder::new(16_000, ::opus::Channels::Mono, ::opus::Application::Voip).unwrap();
        let mut core = Core::new(OPUS, 16_000, PRE_SKIP);
        for (n, samples) in speech.chunks_exact(320).enumerate() {
            core.packet(&packet(&encoder.encode_vec(samples, 1_500).unwrap(), pts_ns(n, ppm))).unwrap();
        }
        core.finish();
        let output = core.take().remove(0).samples;
        for second in [20, 30, 40] {
            let from = second * 16_000;
            let spoken = (from as f64 * (1.0 + ppm * 1e-6)).round() as usize;
            let lag = lag(&speech[from..][..4_000], &output[spoken..][..4_000], 60);
            // 0.4 ms are left of the drift.
            assert!((lag as f64 + ppm * 16e-3).abs() <= 2.0, "{ppm} ppm after {second} s: {lag}");
        }
    }
}

/// Where each of the last samples of `n` comes out, in samples of the recording: measured with an impulse every 200.
fn places(rate: u32, rate_out: u32, ppm: f64, n: usize) -> (usize, Vec<f64>) {
    let from = n - 8_000;
    let mut input = vec![0; n];
    (from..n - 200).step_by(200).for_each(|at| input[at] = 30_000);
    let (output, _) = recorded(rate, rate_out, ppm, &input, None);
    let per_sample = f64::from(rate_out) / f64::from(rate);
    let centroids: Vec<f64> = (from..n - 200)
        .step_by(200)
        .map(|at| {
            let about = (at as f64 * per_sample * (1.0 + ppm * 1e-6)) as usize;
            let around = about - 90..about + 90;
            let (mut sum, mut moment) = (0.0, 0.0);
            for (at, &sample) in output[around.clone()].iter().enumerate() {
                sum += f64::from(sample);
                moment += f64::from(sample) * (around.start + at) as f64;
            }
            f64::from(rate_out) + moment / sum
        })
        .collect();
    let between = |two: &[f64]| {
        let (a, b) = (two[0], two[1]);
        (0..200).map(move |k| a + (b - a) * f64::from(k) / 200.0)
    };
    (from, centroids.windows(2).flat_map(between).collect())
}

#[test]
fn a_pause_silences_just_the_samples_inside_it_however_long_a_clock_has_drifted() {
    for (rate, rate_out, ppm, seconds) in [
        (16_000, 16_000, 500.0, 40),
        (16_000, 16_000, -500.0, 12),
        (8_000, 16_000, 500.0, 12),
        (8_000, 16_000, -500.0, 40),
        (24_000, 16_000, -500.0, 12),
    ] {
        let n = rate as usize * seconds;
        let (from, places) = places(rate, rate_out, ppm, n);
        let ns_at = |at: usize| (places[at] * 1e9 / f64::from(rate_out)) as u64;
        for (first, last, odd_ns) in [(1_000, 3_000, 1), (1_501, 1_540, 20_011), (2_003, 6_007, 47_777)] {
            let pause = ns_at(first) + odd_ns..ns_at(last) + odd_ns * 2 / 3;
            // Of the samples that come out, those that are in the pause, be it in part.
            let edges = [pause.start, pause.end].map(|ns| ns as f64 * f64::from(rate_out) / 1e9);
            let (begin, end) = (edges[0].floor(), edges[1].ceil());
            let loud = |n: usize| if n.is_multiple_of(3) { 30_000 } else { -29_000 + (n * 7_919 % 3_001) as i16 };
            let (mut inside, mut outside) = (vec![0; n], vec![0; n]);
            let mut n_inside = 0;
            for (at, &place) in places.iter().enumerate() {
                if (place - begin).abs() < 0.02 || (place - end).abs() < 0.02 {
                    continue;
                }
                let is_inside = place > begin && place < end;
                n_inside += usize::from(is_inside);
                (if is_inside { &mut inside } else { &mut outside })[from + at] = loud(at);
            }
            assert!(n_inside.abs_diff(last - first) <= 3, "the pause is {n_inside} samples long");
            let what = format!("{rate} to {rate_out} Hz, {ppm} ppm, {first} to {last}");
            let (output, stats) = recorded(rate, rate_out, ppm, &inside, Some(pause.clone()));
            assert!(stats.n_corrected > 0);
            let heard = output.iter().position(|&sample| sample != 0);
            assert_eq!(heard, None, "{what}: something of the pause is heard");
            let whole = recorded(rate, rate_out, ppm, &outside, None);
            let paused = recorded(rate, rate_out, ppm, &outside, Some(pause));
            let changed = whole.0.iter().zip(&paused.0).position(|(a, b)| a != b);
            assert_eq!(changed, None, "{what}: something beside the pause is gone");
        }
    }
}

/// Without a correction a gate's samples count, and one that is partly in a pause may be heard; a filter that begins
/// right behind it would spread it.
#[test]
fn a_correction_that_begins_after_a_pause_does_not_spread_what_was_partly_in_it() {
    let quiet = vec![0; 16_000 * 5];
    let mut core = Core::new(pcm(16_000), 16_000, PRE_SKIP);
    let is_corrected = |core: &Core| core.stats().n_corrected > 0;
    let begin = quiet.chunks(320).enumerate().position(|(n, samples)| {
        core.packet(&packet(&bytes(samples), pts_ns(n, 500.0))).unwrap();
        is_corrected(&core)
    });
    let begin = begin.unwrap() * 320;
    for n_back in [5, 8, 12] {
        let at = begin - n_back;
        let mut input = quiet.clone();
        input[at] = 30_000;
        let sample_ns = |n: usize| 1_000_000_000 + n as u64 * 62_500;
        let heard = |pause| {
            let (output, _) = recorded(16_000, 16_000, 500.0, &input, Some(pause));
            (output[at], output[begin..].iter().any(|&sample| sample != 0))
        };
        assert_eq!(heard(sample_ns(at) + 40_000..sample_ns(at + 3)), (30_000, false), "{n_back} before");
        assert_eq!(heard(sample_ns(at + 1)..sample_ns(at + 3)), (30_000, true), "{n_back} before");
    }
}
