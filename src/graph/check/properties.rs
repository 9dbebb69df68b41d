//! Properties: that the element has them, and takes the value.

use crate::graph::check::draft::CHANNELS;
use crate::graph::check::draft::DECODER;
use crate::graph::check::draft::Draft;
use crate::graph::check::draft::DraftNode;
use crate::graph::check::draft::GATE;
use crate::graph::check::draft::MIXER;
use crate::graph::check::draft::SPLITTER;
use crate::graph::elements::Elements;
use crate::graph::elements::Factory;
use crate::graph::elements::LOCATION;
use crate::graph::elements::Property;
use crate::graph::elements::PropertyKind;
use crate::graph::error::GraphErrorKind;
use crate::graph::known::Known;
use crate::graph::plan::Value;
use crate::graph::report::Report;
use crate::graph::spec::PropertySpec;
use crate::graph::spec::Scalar;

/// Properties that the engine sets, of one element or of all (`None`), and what to write in the file instead.
const ENGINE_PROPERTIES: [(Option<&str>, &str, &str); 17] = [
    (None, "name", "the node's table names it"),
    (None, "parent", "leave it out"),
    (None, "sync", "media are written as they come, so leave it out"),
    (None, "async", "media are written as they come, so leave it out"),
    (Some(SPLITTER), "max-duration", "write limits = { max-duration = \"…\" }"),
    (Some(SPLITTER), "max-size", "write limits = { max-size = \"…\" }"),
    (Some(SPLITTER), "chunk", "write [chunk.…] nodes"),
    (Some(GATE), "mode", "who records says what a pause leaves, so leave it out"),
    (Some(GATE), "pause-at", PAUSES_ARE_TOLD),
    (Some(GATE), "resume-at", PAUSES_ARE_TOLD),
    (Some(DECODER), "pause-at", PAUSES_ARE_TOLD),
    (Some(DECODER), "resume-at", PAUSES_ARE_TOLD),
    (Some(MIXER), "latency", IT_FOLLOWS_THE_SLOWEST),
    (Some(CHANNELS), "latency", IT_FOLLOWS_THE_SLOWEST),
    (Some(MIXER), "rate", IT_IS_THAT_OF_CAPS),
    (Some(CHANNELS), "rate", IT_IS_THAT_OF_CAPS),
    (Some(CHANNELS), "reserved-channels", "who records says who is pinned, so leave it out"),
];
const PAUSES_ARE_TOLD: &str = "who records says when, so leave it out";
const IT_FOLLOWS_THE_SLOWEST: &str = "it is that of the slowest participant's nodes, so leave it out";
const IT_IS_THAT_OF_CAPS: &str = "write it in the caps of the nodes before, as in caps = \"audio/x-raw,rate=16000\"";
const FILES_HAVE_NAMES: &str = "files are named by the recording, so leave it out";

/// Every property is one of the element's, can be set, is not the engine's, and has a value that the element takes.
pub(super) fn check_properties(draft: &mut Draft<'_>, elements: &dyn Elements, report: &mut Report) {
    for node in &mut draft.nodes {
        let Some(factory) = &node.factory else { continue };
        let element = node.element();
        for property in &node.spec.properties {
            let known = find(node, factory, property);
            match known.and_then(|known| convert(&element, known, &property.value.value, elements)) {
                Ok(value) => node.properties.push((property.name.value.clone(), value)),
                Err(kind) => report.add_key(node.spec, property.name.place, &property.key(), kind),
            }
        }
    }
}

fn find<'f>(node: &DraftNode<'_>, factory: &'f Factory, wanted: &PropertySpec) -> Result<&'f Property, GraphErrorKind> {
    let name = wanted.name.value.as_str();
    let names = |name: &str| (node.element(), name.to_owned());
    let Some(property) = factory.properties.iter().find(|property| property.name == name) else {
        let is_settable = |known: &&Property| known.writable && engine_property(node, &known.name).is_none();
        let settable = factory.properties.iter().filter(is_settable);
        let known = Known::among(name, settable.map(|known| known.name.as_str()));
        let (element, property) = names(name);
        return Err(GraphErrorKind::UnknownProperty { element, property, known });
    };
    let (element_name, property_name) = names(name);
    if let Some(instead) = engine_property(node, name) {
        return Err(GraphErrorKind::EngineProperty { element: element_name, property: property_name, instead });
    }
    if !property.writable {
        return Err(GraphErrorKind::ReadOnlyProperty { element: element_name, property: property_name });
    }
    Ok(property)
}

fn engine_property(node: &DraftNode<'_>, name: &str) -> Option<&'static str> {
    if name == LOCATION && node.is_file() {
        return Some(FILES_HAVE_NAMES);
    }
    let is_it = |of: Option<&str>, property: &str| property == name && of.is_none_or(|of| node.is_element(of));
    ENGINE_PROPERTIES.iter().find(|(of, property, _)| is_it(*of, property)).map(|(_, _, instead)| *instead)
}

/// The value as the element wants it.
fn convert(
    element: &str,
    property: &Property,
    found: &Scalar,
    elements: &dyn Elements,
) -> Result<Value, GraphErrorKind> {
    let out_of_range = |range: String| GraphErrorKind::OutOfRange {
        element: element.to_owned(),
        property: property.name.clone(),
        found: found.to_string(),
        range,
    };
    match (&property.kind, found) {
        (PropertyKind::Bool, Scalar::Bool(value)) => Ok(Value::Bool(*value)),
        (PropertyKind::Int { min, max }, Scalar::Int(number)) => match i64::try_from(*number) {
            Ok(value) if (*min..=*max).contains(&value) => Ok(Value::Int(value)),
            _ => Err(out_of_range(format!("{min} to {max}"))),
        },
        (PropertyKind::UInt { min, max }, Scalar::Int(number)) => match u64::try_from(*number) {
            Ok(value) if (*min..=*max).contains(&value) => Ok(Value::UInt(value)),
            _ => Err(out_of_range(format!("{min} to {max}"))),
        },
        (PropertyKind::Float { min, max }, Scalar::Int(_) | Scalar::Float(_)) => match number(found) {
            Some(value) if (*min..=*max).contains(&value) => Ok(Value::Float(value)),
            _ => Err(out_of_range(format!("{min:?} to {max:?}"))),
        },
        (PropertyKind::Enum { nicks }, Scalar::Text(nick)) => {
            check_nick(element, property, nick, nicks)?;
            Ok(Value::Nick(nick.clone()))
        }
        (PropertyKind::Flags { nicks }, Scalar::Text(set)) => {
            for nick in set.split('+') {
                check_nick(element, property, nick, nicks)?;
            }
            Ok(Value::Nick(set.clone()))
        }
        (PropertyKind::Text, Scalar::Text(text)) => Ok(Value::Text(text.clone())),
        (PropertyKind::Other(_), Scalar::Text(text)) if elements.takes(element, &property.name, text) => {
            Ok(Value::Serialized(text.clone()))
        }
        _ => Err(GraphErrorKind::PropertyType {
            element: element.to_owned(),
            property: property.name.clone(),
            expected: expected(&property.kind),
            found: found.to_string(),
        }),
    }
}

fn number(scalar: &Scalar) -> Option<f64> {
    match scalar {
        Scalar::Int(number) => Some(*number as f64),
        Scalar::Float(number) => Some(*number),
        Scalar::Bool(_) | Scalar::Text(_) => None,
    }
}

fn check_nick(element: &str, property: &Property, found: &str, nicks: &[String]) -> Result<(), GraphErrorKind> {
    if nicks.iter().any(|nick| nick == found) {
        return Ok(());
    }
    Err(GraphErrorKind::UnknownNick {
        element: element.to_owned(),
        property: property.name.clone(),
        found: found.to_owned(),
        known: Known::among(found, nicks),
    })
}

/// What a property takes, in the words of a message.
fn expected(kind: &PropertyKind) -> String {
    let quoted = |nicks: &[String]| nicks.iter().map(|nick| format!("{nick:?}")).collect::<Vec<_>>().join(", ");
    match kind {
        PropertyKind::Bool => "true or false".to_owned(),
        PropertyKind::Int { min, max } => format!("an integer from {min} to {max}"),
        PropertyKind::UInt { min, max } => format!("an integer from {min} to {max}"),
        PropertyKind::Float { min, max } => format!("a number from {min:?} to {max:?}"),
        PropertyKind::Enum { nicks } => format!("one of {}", quoted(nicks)),
        PropertyKind::Flags { nicks } => format!("a string of {} with + between them", quoted(nicks)),
        PropertyKind::Text => "a string".to_owned(),
        PropertyKind::Other(type_name) => format!("a string that holds a {type_name}"),
    }
}
