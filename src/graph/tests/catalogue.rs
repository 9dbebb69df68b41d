//! A list of elements in the place of GStreamer's registry, read from `catalogue.txt`.

use std::collections::BTreeMap;

use crate::graph::elements::CapsError;
use crate::graph::elements::Direction;
use crate::graph::elements::Elements;
use crate::graph::elements::Factory;
use crate::graph::elements::PadTemplate;
use crate::graph::elements::Presence;
use crate::graph::elements::Property;
use crate::graph::elements::PropertyKind;
use crate::graph::tests::fake_caps;

/// The elements of `catalogue.txt`.
pub(super) struct Catalogue {
    factories: BTreeMap<String, Factory>,
}

impl Catalogue {
    pub(super) fn new() -> Self {
        let mut factories = BTreeMap::new();
        let mut current = None;
        let lines = include_str!("catalogue.txt").lines().filter(|line| !line.starts_with('#'));
        for line in lines {
            let words: Vec<&str> = line.split_whitespace().collect();
            if !line.starts_with(' ') {
                let factory = Factory {
                    pads: Vec::new(),
                    properties: Vec::new(),
                    own_thread: words.contains(&"thread"),
                    aggregator: words.contains(&"aggregator"),
                    waits_for_inputs: words.contains(&"waits"),
                };
                factories.insert(words[0].to_owned(), factory);
                current = Some(words[0].to_owned());
                continue;
            }
            let factory = factories.get_mut(current.as_ref().expect("an element comes first")).expect("just inserted");
            match words[0] {
                "sink" | "src" => factory.pads.push(pad(&words)),
                "set" | "get" => factory.properties.push(property(&words)),
                other => panic!("catalogue.txt has a line of {other:?}"),
            }
        }
        Self { factories }
    }
}

impl Elements for Catalogue {
    fn factory(&self, element: &str) -> Option<Factory> {
        self.factories.get(element).cloned()
    }

    fn names(&self) -> Vec<String> {
        self.factories.keys().cloned().collect()
    }

    fn package(&self, element: &str) -> Option<String> {
        (element == "fdkaacenc").then(|| "gstreamer1.0-fdkaac".to_owned())
    }

    fn intersect(&self, a: &str, b: &str) -> Result<Option<String>, CapsError> {
        let parse = |caps: &str| fake_caps::parse(caps).ok_or_else(|| CapsError { caps: caps.to_owned() });
        let common = fake_caps::intersect(&parse(a)?, &parse(b)?);
        let is_empty = common.as_ref().is_some_and(Vec::is_empty);
        Ok((!is_empty).then(|| fake_caps::show(&common)))
    }

    fn is_subset(&self, a: &str, b: &str) -> bool {
        self.intersect(a, a) == self.intersect(a, b)
    }

    fn takes(&self, element: &str, property: &str, value: &str) -> bool {
        let factory = self.factory(element).expect("a property of an element that there is");
        let property = factory.properties.iter().find(|known| known.name == property).expect("a property of its own");
        match &property.kind {
            PropertyKind::Other(type_) if type_ == "GstCaps" => fake_caps::parse(value).is_some(),
            PropertyKind::Other(type_) if type_ == "GstFraction" => value.split('/').all(|n| n.parse::<i32>().is_ok()),
            _ => true,
        }
    }

    fn has_video(&self) -> bool {
        true
    }
}

fn pad(words: &[&str]) -> PadTemplate {
    PadTemplate {
        name: words[1].to_owned(),
        direction: if words[0] == "sink" { Direction::Sink } else { Direction::Src },
        presence: match words[2] {
            "always" => Presence::Always,
            "sometimes" => Presence::Sometimes,
            "request" => Presence::Request,
            other => panic!("catalogue.txt has a pad that is there {other:?}"),
        },
        caps: words[3..].join(" "),
    }
}

fn property(words: &[&str]) -> Property {
    let nicks = || words[3..].iter().map(|nick| (*nick).to_owned()).collect();
    let kind = match words[2] {
        "bool" => PropertyKind::Bool,
        "int" => PropertyKind::Int { min: words[3].parse().unwrap(), max: words[4].parse().unwrap() },
        "uint" => PropertyKind::UInt { min: words[3].parse().unwrap(), max: words[4].parse().unwrap() },
        "float" => PropertyKind::Float { min: words[3].parse().unwrap(), max: words[4].parse().unwrap() },
        "enum" => PropertyKind::Enum { nicks: nicks() },
        "flags" => PropertyKind::Flags { nicks: nicks() },
        "text" => PropertyKind::Text,
        "other" => PropertyKind::Other(words[3].to_owned()),
        other => panic!("catalogue.txt has a property of type {other:?}"),
    };
    Property { name: words[1].to_owned(), writable: words[0] == "set", kind }
}
