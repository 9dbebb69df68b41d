//! Tables of a file: each key is asked for once, by who knows what it means; what nobody asked for is an error.

use std::cell::RefCell;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use toml::Spanned;
use toml::de::DeTable;
use toml::de::DeValue;

use crate::config::ConfigError;
use crate::config::ConfigErrorKind;
use crate::model::text::Lines;
use crate::model::units::format_duration;
use crate::model::units::parse_duration;

/// What is wrong with a file so far.
pub(super) struct Errors {
    file: String,
    lines: Lines,
    found: RefCell<Vec<ConfigError>>,
}

impl Errors {
    pub(super) fn new(file: &str, text: &str) -> Self {
        Self { file: file.to_owned(), lines: Lines::new(text), found: RefCell::default() }
    }

    pub(super) fn report(&self, offset: usize, kind: ConfigErrorKind) {
        let (line, _) = self.lines.place(offset);
        self.found.borrow_mut().push(ConfigError { file: self.file.clone(), line, kind });
    }

    /// Returns all, in order of lines.
    pub(super) fn into_all(self) -> Vec<ConfigError> {
        let mut errors = self.found.into_inner();
        errors.sort_by_key(|error| error.line);
        errors
    }
}

/// Tables of a user's own are told apart by names that may stand anywhere: in paths, in addresses.
fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// A table as a user wrote it, with the shipped one behind it: what is not given is as shipped.
pub(super) struct Table<'a> {
    name: String,
    given: Option<&'a DeTable<'a>>,
    shipped: &'a DeTable<'a>,
    errors: &'a Errors,
    known: Vec<&'a str>,
}

impl<'a> Table<'a> {
    /// Returns the table of a whole file.
    pub(super) fn root(given: &'a DeTable<'a>, shipped: &'a DeTable<'a>, errors: &'a Errors) -> Self {
        Self { name: String::new(), given: Some(given), shipped, errors, known: Vec::new() }
    }

    /// Returns a table inside.
    pub(super) fn table(&mut self, key: &'a str) -> Self {
        self.known.push(key);
        let shipped = self.shipped.get(key).and_then(|value| value.get_ref().as_table());
        let shipped = shipped.expect("the shipped file is tested");
        let given = self.given.and_then(|given| self.as_table(key, given.get(key)?));
        Self { name: self.path(key), given, shipped, errors: self.errors, known: Vec::new() }
    }

    /// Returns all tables inside, with their names; `like` is the shipped one that stands behind each. The shipped one
    /// itself is there where no other is given.
    pub(super) fn tables(&self, like: &'a str) -> Vec<(String, Self)> {
        let shipped = self.shipped.get(like).and_then(|value| value.get_ref().as_table());
        let shipped = shipped.expect("the shipped file is tested");
        let table = |name: &str, given: Option<&'a DeTable<'a>>| {
            (name.to_owned(), Self { name: self.path(name), given, shipped, errors: self.errors, known: Vec::new() })
        };
        match self.given.filter(|given| !given.is_empty()) {
            None => vec![table(like, None)],
            Some(given) => {
                for (key, _) in given.iter().filter(|(key, _)| !is_name(key.get_ref())) {
                    let wanted = "named by 1 to 64 lower-case letters, digits and hyphens".to_owned();
                    let kind = ConfigErrorKind::BadValue { key: self.path(key.get_ref()), wanted };
                    self.errors.report(key.span().start, kind);
                }
                let named = given.iter().map(|(key, value)| (key.get_ref().as_ref(), value));
                named.filter_map(|(name, value)| Some(table(name, Some(self.as_table(name, value)?)))).collect()
            }
        }
    }

    fn as_table(&self, key: &str, value: &'a Spanned<DeValue<'a>>) -> Option<&'a DeTable<'a>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.errors.report(value.span().start, ConfigErrorKind::NotATable { key: self.path(key) });
        }
        table
    }

    fn path(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    /// Takes a value; `wanted` tells what `read` takes.
    pub(super) fn take<T>(&mut self, key: &'a str, wanted: &str, read: impl Fn(&DeValue<'_>) -> Option<T>) -> T {
        self.known.push(key);
        let given = self.given.and_then(|given| given.get(key));
        if let Some(value) = given {
            match read(value.get_ref()) {
                Some(value) => return value,
                None => {
                    let kind = ConfigErrorKind::BadValue { key: self.path(key), wanted: wanted.to_owned() };
                    self.errors.report(value.span().start, kind);
                }
            }
        }
        let shipped = self.shipped.get(key).and_then(|value| read(value.get_ref()));
        shipped.unwrap_or_else(|| panic!("the shipped file is tested, and lacks {}", self.path(key)))
    }

    /// Reports a value that was taken, and does not go with the others.
    pub(super) fn refuse(&self, key: &str, wanted: &str) {
        if let Some(value) = self.given.and_then(|given| given.get(key)) {
            let kind = ConfigErrorKind::BadValue { key: self.path(key), wanted: wanted.to_owned() };
            self.errors.report(value.span().start, kind);
        }
    }

    /// Takes a duration of a range.
    pub(super) fn duration(&mut self, key: &'a str, range: RangeInclusive<Duration>) -> Duration {
        let (min, max) = (format_duration(*range.start()), format_duration(*range.end()));
        self.take(key, &format!("a duration from \"{min}\" to \"{max}\""), |value| {
            value.as_str().and_then(|text| parse_duration(text).ok()).filter(|duration| range.contains(duration))
        })
    }

    /// Takes a number of a range.
    pub(super) fn count(&mut self, key: &'a str, range: RangeInclusive<usize>) -> usize {
        let wanted = format!("a whole number from {} to {}", range.start(), range.end());
        self.take(key, &wanted, |value| {
            let digits = value.as_integer().filter(|number| number.radix() == 10)?;
            digits.as_str().parse().ok().filter(|number| range.contains(number))
        })
    }

    /// Takes true or false.
    pub(super) fn flag(&mut self, key: &'a str) -> bool {
        self.take(key, "true or false", |value| value.as_bool())
    }

    /// Takes a text that is not empty.
    pub(super) fn text(&mut self, key: &'a str) -> String {
        let text = |value: &DeValue<'_>| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        self.take(key, "a text that is not empty", text)
    }

    /// Takes an address with its port.
    pub(super) fn address(&mut self, key: &'a str) -> SocketAddr {
        self.take(key, "an address and a port, as in \"127.0.0.1:8080\"", |value| value.as_str()?.parse().ok())
    }

    /// Takes an address without a port.
    pub(super) fn ip(&mut self, key: &'a str) -> IpAddr {
        self.take(key, "an address, as in \"127.0.0.1\"", |value| value.as_str()?.parse().ok())
    }

    /// Takes a range of ports, the first of them even.
    pub(super) fn ports(&mut self, key: &'a str) -> RangeInclusive<u16> {
        let wanted = "two ports, the first even and from 1024, as in \"20000-29999\"";
        self.take(key, wanted, |value| {
            let (first, last) = value.as_str()?.split_once('-')?;
            let (first, last) = (first.parse::<u16>().ok()?, last.parse::<u16>().ok()?);
            (first >= 1_024 && first % 2 == 0 && last > first && last < u16::MAX).then_some(first..=last)
        })
    }

    /// Reports what nobody has asked for.
    pub(super) fn finish(self) {
        for (key, _) in self.given.into_iter().flatten() {
            if !self.known.contains(&key.get_ref().as_ref()) {
                let kind = ConfigErrorKind::UnknownKey { key: key.get_ref().to_string(), known: self.known.join(", ") };
                self.errors.report(key.span().start, kind);
            }
        }
    }
}
