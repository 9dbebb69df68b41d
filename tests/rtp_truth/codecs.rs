//! Every codec follows its sender's clock; the look-ahead of its encoder is no lateness.

use crate::support::chirp;
use crate::support::chirp::mean_late_ms;
use crate::truth::Sent;
use crate::truth::range_ms;
use crate::truth::zero_ns;

/// A way to say five minutes of chirps.
struct Case {
    codec: &'static str,
    skew_ppm: i32,
    /// The file's.
    rate: usize,
    /// A voice codec makes something else of a chirp.
    likeness_min: f64,
}

#[test]
fn five_minutes_of_any_codec_stay_in_place() {
    let seconds = 300;
    let case = |codec, skew_ppm, rate, likeness_min| Case { codec, skew_ppm, rate, likeness_min };
    let cases = [
        case("opus", 300, 16_000, 0.6),
        case("opus", -300, 16_000, 0.6),
        case("g722", 300, 16_000, 0.9),
        case("g722", -300, 16_000, 0.9),
        case("l16", -300, 16_000, 0.9),
        case("pcma", 150, 8_000, 0.9),
    ];
    for Case { codec, skew_ppm, rate, likeness_min } in cases {
        let sent = Sent { codec, skew_ppm, network: "--jitter 30ms --loss 5% --reorder 1%" };
        let captured = sent.capture(rate, &chirp::pattern(rate, seconds));
        let samples = sent.record(&captured).wav().samples;
        let heard = sent.chirps(&samples, seconds, zero_ns(&captured), likeness_min);
        assert!(heard.len() > seconds * 85 / 100, "{codec}: {} of {seconds} chirps were heard", heard.len());
        let (earliest, latest) = range_ms(&heard);
        let (middle, end) = (mean_late_ms(&heard, 140..200), mean_late_ms(&heard, seconds - 60..seconds));
        println!(
            "{codec} at {skew_ppm:+} ppm: {} chirps, {earliest:.3} to {latest:.3} ms late; middle {middle:.3} ms, \
             end {end:.3} ms",
            heard.len()
        );
        assert!(earliest >= -5.0 && latest <= 5.0, "{codec} at {skew_ppm} ppm: {earliest} to {latest} ms late");
        assert!((end - middle).abs() <= 0.5, "{codec} at {skew_ppm} ppm: {} ms of growth", end - middle);
    }
}
