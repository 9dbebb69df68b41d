//! `reelsink`, judged by programs that did not write its files: ffmpeg, sox, flac, mp3val, mediainfo.

mod bytes;
mod disk;
mod element;
mod foreign;
mod mp3;
mod run;
mod wav;
