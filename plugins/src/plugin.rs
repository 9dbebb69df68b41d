//! What makes the crate a GStreamer plugin.
#![expect(missing_docs, reason = "the items of the macro are GStreamer's, not ours to document")]

fn plugin_init(plugin: &gst::Plugin) -> Result<(), gst::glib::BoolError> {
    crate::src::register(plugin)?;
    crate::audiodec::register(plugin)?;
    crate::mixer::register(plugin)?;
    crate::channels::register(plugin)?;
    crate::gate::register(plugin)?;
    crate::split::register(plugin)?;
    crate::meta::register(plugin)?;
    crate::sink::register(plugin)
}

gst::plugin_define!(
    reel,
    env!("CARGO_PKG_DESCRIPTION"),
    plugin_init,
    concat!(env!("CARGO_PKG_VERSION"), "-", env!("COMMIT_ID")),
    "MIT/X11",
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_REPOSITORY"),
    env!("BUILD_REL_DATE")
);
