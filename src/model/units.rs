//! Quantities as people write them: `"4h"`, `"250ms"`, `"3.5GiB"`.
//!
//! All arithmetic is decimal and exact: what is shown reads back as the same number.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Units of time, the longest first, and what they are in nanoseconds.
const TIME_UNITS: [(&str, u128); 6] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Units of size, and what they are in bytes. The binary ones come first, so that they win a tie when shown.
const SIZE_UNITS: [(&str, u128); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

/// Most digits on either side of the point: with them no product with a unit overflows 128 bits.
const DIGITS_MAX: usize = 20;

/// Reads a duration such as `"4h"`, `"250ms"`, `"2.5s"` or `"1m30s"`.
///
/// Numbers carry one of the units h, m, s, ms, us, ns; longer units stand before shorter ones, and only the last
/// number may have a fraction. Exact to the nanosecond.
///
/// # Errors
///
/// [`DurationError`], which says what would be valid.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let not_a_duration = || DurationError::NotADuration { text: text.to_owned() };
    let mut rest = text;
    let mut longer_units = 0;
    let mut nanos: u128 = 0;
    loop {
        let (number, after) = split_number(rest).ok_or_else(not_a_duration)?;
        let unit_len = after.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(after.len());
        let (unit, next) = after.split_at(unit_len);
        let unit_index = TIME_UNITS.iter().position(|(name, _)| *name == unit).ok_or_else(not_a_duration)?;
        if unit_index < longer_units {
            return Err(DurationError::NotDescending { text: text.to_owned() });
        }
        if number.fraction.is_some() && !next.is_empty() {
            return Err(DurationError::InnerFraction { text: text.to_owned() });
        }
        let Some(value) = number.times(TIME_UNITS[unit_index].1) else {
            return Err(DurationError::TooPrecise { text: text.to_owned() });
        };
        nanos += value;
        longer_units = unit_index + 1;
        rest = next;
        if rest.is_empty() {
            break;
        }
    }
    let seconds = u64::try_from(nanos / 1_000_000_000);
    let seconds = seconds.map_err(|_| DurationError::TooLong { text: text.to_owned() })?;
    let subsecond = u32::try_from(nanos % 1_000_000_000).expect("a remainder is less than its divisor");
    Ok(Duration::new(seconds, subsecond))
}

/// Returns a duration's text, as [`parse_duration`] reads it: `"1m30.25s"`, `"250ms"`, `"0s"`.
pub fn format_duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let (hours, minutes, rest) =
        (nanos / TIME_UNITS[0].1, nanos % TIME_UNITS[0].1 / TIME_UNITS[1].1, nanos % TIME_UNITS[1].1);
    let mut text = String::new();
    if hours > 0 {
        text.push_str(&format!("{hours}h"));
    }
    if minutes > 0 {
        text.push_str(&format!("{minutes}m"));
    }
    if rest > 0 {
        let fits = |&&(_, size): &&(&str, u128)| rest >= size;
        let (unit, size) = TIME_UNITS[2..].iter().find(fits).expect("one nanosecond fits into any rest");
        text.push_str(&decimal(rest, *size).expect("every unit of time is a power of ten in the next"));
        text.push_str(unit);
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// A size in bytes, written as `"3.5GiB"`, `"10MiB"`, `"500kB"` or `"100B"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(u64);

impl Bytes {
    /// Returns a size of so many bytes.
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// Returns the number of bytes.
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// Shows the shortest text that reads back as the same size.
impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = u128::from(self.0);
        let mut shortest: Option<String> = None;
        for (unit, size) in SIZE_UNITS {
            let Some(number) = decimal(bytes, size).filter(|_| bytes >= size || size == 1) else { continue };
            let text = format!("{number}{unit}");
            if shortest.as_ref().is_none_or(|other| text.len() < other.len()) {
                shortest = Some(text);
            }
        }
        f.write_str(&shortest.expect("any size is a number of bytes"))
    }
}

/// Reads a number with one of the units B, kB, MB, GB, TB, KiB, MiB, GiB, TiB. A fraction of a byte that remains
/// (a third of a kilobyte is nobody's mistake) is cut off.
impl FromStr for Bytes {
    type Err = BytesError;

    fn from_str(text: &str) -> Result<Self, BytesError> {
        let not_a_size = || BytesError::NotASize { text: text.to_owned() };
        let (number, unit) = split_number(text).ok_or_else(not_a_size)?;
        let (_, size) = SIZE_UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(not_a_size)?;
        if number.fraction.is_some() && *size == 1 {
            return Err(BytesError::PartOfAByte { text: text.to_owned() });
        }
        let bytes = u64::try_from(number.times_floor(*size));
        bytes.map(Self).map_err(|_| BytesError::TooLarge { text: text.to_owned() })
    }
}

/// A text that is no duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Not numbers with units.
    #[error(
        "{text:?} is no duration; write numbers with a unit of h, m, s, ms, us, ns, as in \"4h\", \"1m30s\", \"2.5s\""
    )]
    NotADuration {
        /// What stands there.
        text: String,
    },
    /// A unit stands after a shorter one, or twice.
    #[error("units of duration {text:?} are out of order; write each at most once, the longest first, as in \"1m30s\"")]
    NotDescending {
        /// What stands there.
        text: String,
    },
    /// A number that is not the last has a fraction.
    #[error("duration {text:?} has a fraction before its last unit; write it at the end, as in \"1m2.5s\"")]
    InnerFraction {
        /// What stands there.
        text: String,
    },
    /// It has a part of less than a nanosecond.
    #[error("duration {text:?} is not a whole number of nanoseconds")]
    TooPrecise {
        /// What stands there.
        text: String,
    },
    /// More than 2⁶⁴ − 1 seconds.
    #[error("duration {text:?} is too long; write less than 18446744073709551616s")]
    TooLong {
        /// What stands there.
        text: String,
    },
}

/// A text that is no size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BytesError {
    /// Not a number with a unit.
    #[error(
        "{text:?} is no size; write a number with a unit of B, kB, MB, GB, TB, KiB, MiB, GiB, TiB, as in \"3.5GiB\""
    )]
    NotASize {
        /// What stands there.
        text: String,
    },
    /// A fraction, and the unit is the byte.
    #[error("size {text:?} is not a whole number of bytes")]
    PartOfAByte {
        /// What stands there.
        text: String,
    },
    /// More than 2⁶⁴ − 1 bytes.
    #[error("size {text:?} is too large; write less than 16777216TiB")]
    TooLarge {
        /// What stands there.
        text: String,
    },
}

/// A decimal number that has been read but not yet multiplied by its unit.
struct Number<'a> {
    whole: u128,
    fraction: Option<&'a str>,
}

impl Number<'_> {
    /// The product with a unit, unless it is not whole.
    fn times(&self, unit: u128) -> Option<u128> {
        let (digits, scale) = self.digits();
        let scaled = digits * unit;
        scaled.is_multiple_of(scale).then(|| self.whole * unit + scaled / scale)
    }

    fn times_floor(&self, unit: u128) -> u128 {
        let (digits, scale) = self.digits();
        self.whole * unit + digits * unit / scale
    }

    /// The fraction as a number and the power of ten that it is to be divided by.
    fn digits(&self) -> (u128, u128) {
        let digits = self.fraction.unwrap_or_default();
        let exponent = u32::try_from(digits.len()).expect("digits are limited");
        (digits.parse().unwrap_or(0), 10_u128.pow(exponent))
    }
}

/// Splits `"2.5s"` into its number and the rest; `None` where no plain decimal number begins.
fn split_number(text: &str) -> Option<(Number<'_>, &str)> {
    let (whole, rest) = split_digits(text)?;
    let whole = whole.parse().ok()?;
    match rest.strip_prefix('.') {
        None => Some((Number { whole, fraction: None }, rest)),
        Some(after_point) => {
            let (digits, rest) = split_digits(after_point)?;
            Some((Number { whole, fraction: Some(digits) }, rest))
        }
    }
}

fn split_digits(text: &str) -> Option<(&str, &str)> {
    let len = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (1..=DIGITS_MAX).contains(&len).then(|| text.split_at(len))
}

/// The exact decimal text of `value / unit`; `None` where it needs more digits than can be read back.
fn decimal(value: u128, unit: u128) -> Option<String> {
    let mut text = (value / unit).to_string();
    let mut rest = value % unit;
    if rest > 0 {
        text.push('.');
    }
    for _ in 0..DIGITS_MAX {
        if rest == 0 {
            break;
        }
        rest *= 10;
        text.push(char::from(b'0' + u8::try_from(rest / unit).expect("a digit is less than ten")));
        rest %= unit;
    }
    (rest == 0).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    #[test]
    fn durations_are_read_exactly() {
        let cases = [
            ("4h", Duration::from_secs(14_400)),
            ("250ms", Duration::from_millis(250)),
            ("2.5s", Duration::from_millis(2_500)),
            ("1m30s", Duration::from_secs(90)),
            ("1h0m0.000000001s", Duration::new(3_600, 1)),
            ("0.1s", Duration::from_nanos(100_000_000)),
            ("1.5us", Duration::from_nanos(1_500)),
            ("0s", Duration::ZERO),
            ("18446744073709551615.999999999s", Duration::MAX),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_duration(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_says_so() {
        let text = |text: &str| text.to_owned();
        for wrong in ["", "4", "h", "4 h", "-4h", "+4h", "4H", "1.h", ".5h", "1_000s", "4d", "4h ", "1e3s", "٣s"] {
            assert_eq!(parse_duration(wrong), Err(DurationError::NotADuration { text: text(wrong) }), "{wrong}");
        }
        for wrong in ["30s1m", "1m1m", "1ms1s"] {
            assert_eq!(parse_duration(wrong), Err(DurationError::NotDescending { text: text(wrong) }), "{wrong}");
        }
        assert_eq!(parse_duration("1.5h30m"), Err(DurationError::InnerFraction { text: text("1.5h30m") }));
        assert_eq!(parse_duration("0.5ns"), Err(DurationError::TooPrecise { text: text("0.5ns") }));
        let long = "18446744073709551616s";
        assert_eq!(parse_duration(long), Err(DurationError::TooLong { text: text(long) }));
        let digits = format!("{}h", "9".repeat(DIGITS_MAX));
        assert_eq!(parse_duration(&digits), Err(DurationError::TooLong { text: digits.clone() }));
    }

    #[test]
    fn durations_are_shown_as_people_write_them() {
        for text in ["4h", "250ms", "2.5s", "1m30s", "1m30.25s", "2h5m", "1.5us", "7ns", "0s"] {
            assert_eq!(format_duration(parse_duration(text).unwrap()), text);
        }
        assert_eq!(format_duration(Duration::from_secs(5_400)), "1h30m");
    }

    #[test]
    fn sizes_are_read_exactly() {
        let cases = [
            ("3.5GiB", 3_758_096_384),
            ("10MiB", 10_485_760),
            ("512KiB", 524_288),
            ("500kB", 500_000),
            ("1GB", 1_000_000_000),
            ("2TiB", 2_199_023_255_552),
            ("100B", 100),
            ("0B", 0),
            ("3.3KiB", 3_379),
            ("18446744073709551615B", u64::MAX),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse(), Ok(Bytes::new(expected)), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_says_so() {
        for wrong in ["", "1", "GiB", "1 GiB", "-1B", "1gib", "1KB", "1G", "1.GiB", "1GiB2MiB"] {
            assert_eq!(wrong.parse::<Bytes>(), Err(BytesError::NotASize { text: wrong.to_owned() }), "{wrong}");
        }
        assert_eq!("1.5B".parse::<Bytes>(), Err(BytesError::PartOfAByte { text: "1.5B".to_owned() }));
        let large = "16777216TiB";
        assert_eq!(large.parse::<Bytes>(), Err(BytesError::TooLarge { text: large.to_owned() }));
    }

    #[test]
    fn sizes_are_shown_shortest() {
        for text in ["3.5GiB", "10MiB", "512KiB", "500kB", "1GB", "100B", "0B", "1.5TB"] {
            assert_eq!(text.parse::<Bytes>().unwrap().to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn any_duration_round_trips(seconds: u64, nanos in 0_u32..1_000_000_000) {
            let duration = Duration::new(seconds, nanos);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }

        #[test]
        fn any_size_round_trips(bytes: u64) {
            prop_assert_eq!(Bytes::new(bytes).to_string().parse(), Ok(Bytes::new(bytes)));
        }

        #[test]
        fn no_text_panics(text in "[0-9.a-zA-Z ]{0,64}") {
            let _ = parse_duration(&text);
            let _ = text.parse::<Bytes>();
        }
    }
}
