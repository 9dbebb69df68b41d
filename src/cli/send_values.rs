//! Values of options of `send`: shares, skews, numbers of RTP.

use crate::media::is_media_type;
use crate::media::read_ssrc;
use crate::send::JITTER_NS_MAX;
use crate::send::SKEW_PPB_MAX;

use crate::cli::values::ValueError;
use crate::cli::values::time_value;

/// Longest mean burst, in packets: 20 s.
const BURST_MAX: f64 = 1_000.0;

/// Why a value is refused.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(super) enum SendValueError {
    /// Not a share.
    #[error("{text:?} is no share of packets; write 0% to 100%, as in 5% or 0.5%")]
    Share {
        /// As given.
        text: String,
    },
    /// Not a length of bursts.
    #[error("{text:?} is no mean length of bursts; write 1 to 1000 packets, as in 3 or 2.5")]
    Burst {
        /// As given.
        text: String,
    },
    /// Not a skew.
    #[error("{text:?} is no skew of a clock; write -1000ppm to 1000ppm, three digits behind the point at most")]
    Skew {
        /// As given.
        text: String,
    },
    /// A time that is none, or too long.
    #[error("{0}")]
    Time(#[from] ValueError),
    /// More jitter than is taken for jitter.
    #[error("jitter is 1s at most")]
    Jitter,
    /// Not an SSRC.
    #[error("{text:?} is no SSRC; write 0 to 0xffffffff")]
    Ssrc {
        /// As given.
        text: String,
    },
    /// Not a payload type.
    #[error("{text:?} is no payload type; write 0 to 127, but not 13 (comfort noise) and not 64 to 95 (RTCP)")]
    PayloadType {
        /// As given.
        text: String,
    },
}

/// `5%`: a share of packets, 0 ‥ 1.
pub(super) fn share(text: &str) -> Result<f64, SendValueError> {
    let percent = text.strip_suffix('%').and_then(decimal).filter(|percent| *percent <= 100.0);
    percent.map(|percent| percent / 100.0).ok_or_else(|| SendValueError::Share { text: text.to_owned() })
}

/// `3`: a mean number of packets.
pub(super) fn burst(text: &str) -> Result<f64, SendValueError> {
    let packets = decimal(text).filter(|packets| (1.0..=BURST_MAX).contains(packets));
    packets.ok_or_else(|| SendValueError::Burst { text: text.to_owned() })
}

/// `200ppm`, `-0.5ppm`: parts of 10⁹.
pub(super) fn skew(text: &str) -> Result<i64, SendValueError> {
    let wrong = || SendValueError::Skew { text: text.to_owned() };
    let number = text.strip_suffix("ppm").ok_or_else(wrong)?;
    let (sign, number) = match number.strip_prefix('-') {
        Some(number) => (-1, number),
        None => (1, number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str, max: usize| (1..=max).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole, 4) || !digits(fraction, 3) {
        return Err(wrong());
    }
    let ppb: i64 = format!("{whole}{fraction:0<3}").parse().map_err(|_| wrong())?;
    Some(sign * ppb).filter(|ppb| ppb.abs() <= SKEW_PPB_MAX).ok_or_else(wrong)
}

/// A longest delay, in nanoseconds.
pub(super) fn jitter(text: &str) -> Result<u64, SendValueError> {
    let ns = u64::try_from(time_value(text)?.as_nanos()).map_err(|_| SendValueError::Jitter)?;
    if ns > JITTER_NS_MAX { Err(SendValueError::Jitter) } else { Ok(ns) }
}

/// `0x1234` or decimal.
pub(super) fn ssrc(text: &str) -> Result<u32, SendValueError> {
    read_ssrc(text).ok_or_else(|| SendValueError::Ssrc { text: text.to_owned() })
}

/// A payload type that is media's.
pub(super) fn payload_type(text: &str) -> Result<u8, SendValueError> {
    text.parse()
        .ok()
        .filter(|number| is_media_type(*number))
        .ok_or_else(|| SendValueError::PayloadType { text: text.to_owned() })
}

/// A plain decimal number, as people write it.
fn decimal(text: &str) -> Option<f64> {
    let is_plain =
        text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(|c| c.is_ascii_digit() || c == '.');
    text.parse().ok().filter(|_| is_plain && text.len() <= 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_percentages() {
        for (text, expected) in [("5%", 0.05), ("0.5%", 0.005), ("0%", 0.0), ("100%", 1.0)] {
            assert_eq!(share(text), Ok(expected), "{text}");
        }
        for text in ["5", "0.05", "101%", "-1%", "%", "five%", "1e1%", "NaN%", "inf%", "5 %", ".5%", "1.2.3%"] {
            assert!(share(text).is_err(), "{text}");
        }
    }

    #[test]
    fn skews_are_exact() {
        for (text, expected) in
            [("200ppm", 200_000), ("+200ppm", 200_000), ("-0.5ppm", -500), ("1000ppm", 1_000_000), ("0.001ppm", 1)]
        {
            assert_eq!(skew(text), Ok(expected), "{text}");
        }
        for text in ["200", "1000.001ppm", "-1001ppm", "99999ppm", "ppm", "--1ppm", "1.ppm", ".5ppm", "0.0001ppm", "1%"]
        {
            assert!(skew(text).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_of_rtp_are_in_their_ranges() {
        assert_eq!((ssrc("0x1234"), ssrc("7"), ssrc("0xffffffff")), (Ok(0x1234), Ok(7), Ok(u32::MAX)));
        for text in ["", "0x", "0x1ffffffff", "4294967296", "-1", "+1", "0x+1", "x"] {
            assert!(ssrc(text).is_err(), "{text}");
        }
        assert_eq!((payload_type("0"), payload_type("127"), payload_type("96")), (Ok(0), Ok(127), Ok(96)));
        assert!(["13", "64", "95", "128", "-1", "256", "x", ""].iter().all(|text| payload_type(text).is_err()));
        assert_eq!((burst("3"), burst("2.5")), (Ok(3.0), Ok(2.5)));
        assert!(["0", "0.9", "1001", "x", "-3"].iter().all(|text| burst(text).is_err()));
        assert_eq!(jitter("30ms"), Ok(30_000_000));
        assert_eq!(jitter("1.5s"), Err(SendValueError::Jitter));
        assert!(jitter("30").is_err());
    }
}
