//! Which elements this machine has, from which plugin and under which licence.

use std::collections::BTreeMap;

use gst::prelude::*;

use crate::pipeline::packages::elements;
use crate::pipeline::packages::package_of;

/// Our own; they come with the program.
const OWN: [&str; 8] =
    ["reelsrc", "reelaudiodec", "reelmixer", "reelchannels", "reelgate", "reelsplit", "reelmeta", "reelsink"];

/// An element that a graph may want.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    /// Its factory.
    pub element: String,
    /// Where it comes from; None where it is not installed.
    pub plugin: Option<PluginFacts>,
    /// Debian package that has it.
    pub package: Option<&'static str>,
    /// A shipped graph names it.
    pub needed: bool,
}

/// What a plugin says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginFacts {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its licence, or that of the library that it loads where that is stricter.
    pub license: String,
}

impl PluginFacts {
    /// Tells whether who ships it must ship sources under the same terms.
    pub fn is_copyleft(&self) -> bool {
        self.license.starts_with("GPL")
    }
}

/// Returns GStreamer's name and version.
pub fn gstreamer_version() -> String {
    gst::version_string().to_string()
}

/// Returns our elements and all that are known by package; `needed` are the names of those that shipped graphs want.
pub fn inventory(needed: &[String]) -> Vec<Inventory> {
    let names = OWN.into_iter().chain(elements());
    let unique: BTreeMap<&str, ()> = names.map(|name| (name, ())).collect();
    let item = |element: &str| Inventory {
        element: element.to_owned(),
        plugin: facts(element),
        package: package_of(element),
        needed: needed.iter().any(|needed| needed == element) || OWN.contains(&element),
    };
    unique.into_keys().map(item).collect()
}

fn facts(element: &str) -> Option<PluginFacts> {
    let plugin = gst::ElementFactory::find(element)?.plugin()?;
    Some(PluginFacts {
        name: plugin.plugin_name().to_string(),
        version: plugin.version().to_string(),
        license: plugin.license().to_string(),
    })
}
