//! G.711: µ-law and A-law by table (ITU-T G.711).
//!
//! Knows bytes and samples; must not know time or GStreamer.

/// The two laws of G.711.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Law {
    /// µ-law, North America and Japan.
    Mu,
    /// A-law, elsewhere.
    A,
}

static MU: [i16; 256] = table(Law::Mu);
static A: [i16; 256] = table(Law::A);

/// Appends one sample for each byte. Every byte is a code.
pub(super) fn append(bytes: &[u8], law: Law, output: &mut Vec<i16>) {
    let table = match law {
        Law::Mu => &MU,
        Law::A => &A,
    };
    output.extend(bytes.iter().map(|&code| table[usize::from(code)]));
}

const fn table(law: Law) -> [i16; 256] {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = match law {
            Law::Mu => mu_sample(code as u8),
            Law::A => a_sample(code as u8),
        };
        code += 1;
    }
    table
}

/// All bits are sent inverted: sign, 3 bits of segment, 4 bits inside the segment; 0x84 is the bias of the encoder.
const fn mu_sample(code: u8) -> i16 {
    let code = !code;
    let segment = (code >> 4) & 7;
    let step = (code & 0x0f) as i16;
    let magnitude = (((step << 3) + 0x84) << segment) - 0x84;
    if code & 0x80 != 0 { -magnitude } else { magnitude }
}

/// Even bits are sent inverted; a set sign bit means positive. The lowest two segments have the same step.
const fn a_sample(code: u8) -> i16 {
    let code = code ^ 0x55;
    let segment = (code >> 4) & 7;
    let step = ((code & 0x0f) as i16) << 4;
    let magnitude = if segment == 0 { step + 8 } else { (step + 0x108) << (segment - 1) };
    if code & 0x80 != 0 { magnitude } else { -magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audiodec::foreign::ffmpeg;
    use crate::audiodec::foreign::samples;

    #[track_caller]
    fn check(law: Law, format: &str) {
        let codes: Vec<u8> = (0..=255).collect();
        let mut ours = Vec::new();
        append(&codes, law, &mut ours);
        let theirs = ffmpeg(&["-f", format, "-ar", "8000", "-i", "pipe:0", "-f", "s16le", "pipe:1"], &codes);
        assert_eq!(ours, samples(&theirs), "{format}");
    }

    #[test]
    fn every_code_is_what_ffmpeg_says() {
        check(Law::Mu, "mulaw");
        check(Law::A, "alaw");
    }
}
