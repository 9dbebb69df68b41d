//! A track from a file: any media file that GStreamer reads, as frames that are *pulled*.
//!
//! Entry point: [`FileTrack::open`]. Nothing here knows a clock: whoever pulls decides when, so that nothing is dropped
//! and every run over the same bytes yields the same frames.
//!
//! ```text
//!  filesrc ─► typefind ─► demuxer … ─┬─► appsink                               Opus, G.711, G.722, S16: as they are
//!                                    ├─► audioconvert ─► appsink               other raw audio
//!                                    └─► decodebin (─► audioconvert) ─► appsink           everything else
//! ```
//!
//! What `reelaudiodec` decodes is handed on undecoded. The rest becomes `S16LE` at the file's own rate with one or two
//! channels. The first audio stream is the track; the others, and all video, stay unlinked and cost nothing.
//!
//! | media | what is heard |
//! |---|---|
//! | raw, FLAC | every sample |
//! | G.711, G.722 | every byte |
//! | Opus in Ogg, Matroska | every sample: pre-skip and end trimming are clipping metas |
//! | Opus in MP4 | begins at the edit list; may lack the last packet, and its padding is not cut |
//! | Vorbis | every sample and at most one more, since `vorbisdec` clips by time |
//! | AAC in MP4 | begins at the edit list; may lack the last packet (`qtdemux` 1.22 ends too early) |
//! | MP3 | every sample, where an info tag has the encoder's delay and padding; else these are heard |
//! | ADTS | as decoded, with the encoder's delay and padding |
//!
//! Edit lists of raw audio and G.711 in MP4 are not applied. A hole of more than 60 ms in the file's own time stays a
//! hole: the frame behind it carries DISCONT. In FLAC and Ogg, where silence is written, it is told as damage. What is
//! cut off or damaged is reported after all that is there, as far as anything tells: an MP3 file without a tag does
//! not.
//!
//! **Architecture invariant:** one streaming thread and no queue per file. What is told after a frame happened after
//! it, therefore errors have a place, and memory holds [`BUFFERS_MAX`] buffers beside the demuxer's own.
//!
//! **Architecture invariant:** a file is only ever read. Demuxers that open connections (HLS, DASH, SDP) are never
//! plugged, whatever the bytes say.

mod chain;
mod count;
mod error;
mod findings;
mod framer;
mod gapless;
mod grow;
mod promise;
mod report;
mod track;
mod track_caps;

pub use chain::BUFFERS_MAX;
pub use error::FileError;
pub use track::FileTrack;
