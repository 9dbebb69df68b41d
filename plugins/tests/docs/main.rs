//! What the documentation promises, tried with GStreamer's own tools and the plugin as a file.

mod inspect;
mod launch;
mod plugin;
