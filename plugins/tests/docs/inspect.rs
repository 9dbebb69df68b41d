//! What `gst-inspect-1.0` tells of the plugin.

use gst::glib;
use gst::prelude::*;

use crate::plugin::Place;

const ELEMENTS: [&str; 8] =
    ["reelaudiodec", "reelchannels", "reelgate", "reelmeta", "reelmixer", "reelsink", "reelsplit", "reelsrc"];

/// What a number in a property may count, as its blurb says it.
const UNITS: [&str; 7] = ["(ns", "(bytes", "(Hz", "(dBFS", "(1 to 64", "(counted from 0", "samples at 48 kHz"];

#[test]
fn the_plugin_has_eight_elements() {
    let place = Place::new("inspect-plugin");
    let told = place.run("gst-inspect-1.0 reel");
    let (_, features) = told.split_once("\n\n").expect("features after the details");
    let names = features.lines().filter_map(|line| line.strip_prefix("  ")?.split_once(": "));
    assert_eq!(names.map(|(name, _)| name).collect::<Vec<_>>(), ELEMENTS, "{told}");
    assert!(told.contains("8 features:"), "{told}");
}

/// Returns the properties that a type has beside those of its parent.
fn own_properties(type_: glib::Type) -> Vec<glib::ParamSpec> {
    let class = glib::Class::<glib::Object>::from_type(type_).expect("a class of objects");
    class.list_properties().iter().filter(|pspec| pspec.owner_type() == type_).cloned().collect()
}

#[track_caller]
fn check_property(told: &str, pspec: &glib::ParamSpec) {
    let name = pspec.name();
    let (nick, blurb) = (pspec.nick(), pspec.blurb().expect("a blurb"));
    assert!(nick != name && nick.chars().next().is_some_and(char::is_uppercase), "{name}: nick {nick:?}");
    let lines: Vec<&str> =
        told.lines().skip_while(|line| line.trim_start().split(" :").next().map(str::trim) != Some(name)).collect();
    let shown = lines.get(..3).unwrap_or_else(|| panic!("{name} is not shown:\n{told}"));
    assert!(shown[0].ends_with(blurb), "{name}: {shown:?}");
    let flags = pspec.flags();
    let says_when = shown[1].contains("changeable");
    assert_eq!(says_when, flags.contains(glib::ParamFlags::WRITABLE), "{name} says when it may be changed: {shown:?}");
    let is_number = [glib::Type::I32, glib::Type::U32, glib::Type::U64, glib::Type::F64].contains(&pspec.value_type());
    if is_number {
        assert!(shown[2].contains("Range: ") && shown[2].contains("Default: "), "{name}: {shown:?}");
        assert!(UNITS.iter().any(|unit| blurb.contains(unit)), "{name} has no unit: {blurb}");
    }
}

#[test]
fn each_element_tells_what_it_is() {
    let place = Place::new("inspect-elements");
    gst::init().expect("GStreamer starts");
    gstreel::plugin_register_static().expect("the plugin registers");
    for name in ELEMENTS {
        let told = place.run(&format!("gst-inspect-1.0 {name}"));
        let detail = |key: &str| {
            let line = told.lines().find_map(|line| line.trim_start().strip_prefix(key).map(str::trim));
            line.filter(|text| !text.is_empty()).unwrap_or_else(|| panic!("{name} has no {key}:\n{told}")).to_owned()
        };
        assert!(detail("Long-name").starts_with("Reelgraph "), "{name}");
        assert!(detail("Description").split(' ').count() > 4, "{name}: {}", detail("Description"));
        assert_eq!(detail("Author"), "Reelgraph developers", "{name}");
        assert_eq!(detail("Rank"), "none (0)", "{name} must not be chosen by others");
        let factory = gst::ElementFactory::find(name).expect("registered");
        for template in factory.static_pad_templates() {
            let direction = if template.direction() == gst::PadDirection::Sink { "SINK" } else { "SRC" };
            assert!(told.contains(&format!("{direction} template: '{}'", template.name_template())), "{name}:\n{told}");
        }
        assert!(!factory.static_pad_templates().is_empty());
        let element = factory.create().build().expect("it can be made");
        own_properties(element.type_()).iter().for_each(|pspec| check_property(&told, pspec));
    }
}

#[test]
fn pads_tell_of_their_properties_too() {
    let place = Place::new("inspect-pads");
    let told = place.run("gst-inspect-1.0 reelchannels");
    gst::init().expect("GStreamer starts");
    gstreel::plugin_register_static().expect("the plugin registers");
    let element = gst::ElementFactory::make("reelchannels").build().expect("it can be made");
    let pad = element.request_pad_simple("sink_0").expect("free");
    let own = own_properties(pad.type_());
    assert_eq!(own.iter().map(|pspec| pspec.name()).collect::<Vec<_>>(), ["channel"]);
    own.iter().for_each(|pspec| check_property(&told, pspec));
}
