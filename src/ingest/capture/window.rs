//! A bounded view of bytes that are read once, from the first to the last. Does not know what they mean.

use std::io;
use std::io::Read;
use std::ops::Range;

/// What is read at once where records are small.
const WINDOW_BYTES: usize = 64 << 10;

/// The bytes that were read and not yet consumed.
#[derive(Debug)]
pub(super) struct Window<R> {
    reader: R,
    bytes: Vec<u8>,
    /// What of `bytes` is valid.
    valid: Range<usize>,
    /// Place in the file of the first valid byte.
    offset: u64,
}

impl<R: Read> Window<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, bytes: Vec::new(), valid: 0..0, offset: 0 }
    }

    /// Returns what is there: at least what [`Self::fill`] was last asked for, if it had it.
    pub(super) fn data(&self) -> &[u8] {
        &self.bytes[self.valid.clone()]
    }

    /// Returns the place in the file of the first byte of [`Self::data`].
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Reads until there are `n_bytes`, which the caller has bounded; false where the file ends before.
    pub(super) fn fill(&mut self, n_bytes: usize) -> io::Result<bool> {
        if self.valid.len() >= n_bytes {
            return Ok(true);
        }
        self.bytes.copy_within(self.valid.clone(), 0);
        self.valid = 0..self.valid.len();
        if self.bytes.len() < n_bytes {
            self.bytes.resize(n_bytes.max(WINDOW_BYTES), 0);
        }
        while self.valid.len() < n_bytes {
            match self.reader.read(&mut self.bytes[self.valid.end..]) {
                Ok(0) => return Ok(false),
                Ok(n) => self.valid.end += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Takes off what was looked at, at most all that is there.
    pub(super) fn consume(&mut self, n_bytes: usize) {
        let n_bytes = n_bytes.min(self.valid.len());
        self.valid.start += n_bytes;
        self.offset += n_bytes as u64;
    }

    /// Passes over what need not be held; false where the file ends before.
    pub(super) fn skip(&mut self, n_bytes: u64) -> io::Result<bool> {
        let mut rest = n_bytes;
        while rest > 0 {
            if !self.fill(1)? {
                return Ok(false);
            }
            let step = rest.min(self.valid.len() as u64);
            self.consume(step as usize);
            rest -= step;
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time, with interruptions between them.
    struct Drops(Vec<u8>, bool);

    impl Read for Drops {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            match (self.1, self.0.is_empty()) {
                (true, _) => Err(io::ErrorKind::Interrupted.into()),
                (false, true) => Ok(0),
                (false, false) => {
                    into[0] = self.0.remove(0);
                    Ok(1)
                }
            }
        }
    }

    #[test]
    fn bytes_come_in_order_whatever_the_reader_gives() {
        let mut window = Window::new(Drops((0..100).collect(), false));
        assert!(window.fill(3).unwrap());
        assert_eq!(window.data(), [0, 1, 2]);
        window.consume(2);
        assert!(window.skip(40).unwrap());
        assert_eq!(window.offset(), 42);
        assert!(window.fill(58).unwrap());
        assert_eq!(window.data(), (42..100).collect::<Vec<u8>>());
        assert!(!window.fill(59).unwrap());
        assert_eq!(window.data().len(), 58, "what is there is kept");
        window.consume(1000);
        assert_eq!((window.offset(), window.data().len()), (100, 0));
        assert!(window.skip(0).unwrap());
        assert!(!window.skip(1).unwrap());
    }

    #[test]
    fn a_record_larger_than_the_window_is_held_whole() {
        let bytes: Vec<u8> = (0..3 * WINDOW_BYTES).map(|i| (i % 251) as u8).collect();
        let mut window = Window::new(bytes.as_slice());
        assert!(window.fill(10).unwrap());
        window.consume(7);
        assert!(window.fill(2 * WINDOW_BYTES).unwrap());
        assert_eq!(window.data()[..2 * WINDOW_BYTES], bytes[7..7 + 2 * WINDOW_BYTES]);
    }
}
