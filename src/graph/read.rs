//! TOML text → [`Spec`]. Reports what has no meaning; whether the rest makes sense is for `check/`.

use std::str::FromStr;

use toml::Spanned;
use toml::de::DeArray;
use toml::de::DeTable;
use toml::de::DeValue;

use crate::graph::error::GraphErrorKind;
use crate::graph::known::Known;
use crate::graph::report::Report;
use crate::graph::spec::At;
use crate::graph::spec::Door;
use crate::graph::spec::HeaderSpec;
use crate::graph::spec::InputSpec;
use crate::graph::spec::LimitsSpec;
use crate::graph::spec::NodeSpec;
use crate::graph::spec::Place;
use crate::graph::spec::PropertySpec;
use crate::graph::spec::Reference;
use crate::graph::spec::Scalar;
use crate::graph::spec::Scope;
use crate::graph::spec::Slot;
use crate::graph::spec::Spec;
use crate::model::text::Lines;
use crate::model::units;

const TOP_KEYS: [&str; 4] = ["graph", "participant", "recording", "chunk"];
const HEADER_KEYS: [&str; 3] = ["content", "channel", "format"];
const NODE_KEYS: [&str; 5] = ["element", "inputs", "caps", "properties", "limits"];
const LIMIT_KEYS: [&str; 2] = ["max-duration", "max-size"];

/// Most nodes of a graph. The largest one shipped has about a dozen; each node is an element per recording.
const NODES_MAX: usize = 256;
/// Most inputs of a node. Far beyond any mix of declared nodes; a bound for what is said about them.
const INPUTS_MAX: usize = 64;

type Written<'i> = Spanned<DeValue<'i>>;

/// Reads a file. What could not be read is reported and left out, so that the rest can still be judged.
pub(super) fn read(text: &str, report: &mut Report) -> Spec {
    let lines = Lines::new(text);
    let (tree, syntax) = DeTable::parse_recoverable(text);
    let mut reader = Reader { broken: report_syntax(&lines, syntax, report), lines, report };
    let mut header = None;
    let mut tables = Vec::new();
    for (key, value) in tree.get_ref() {
        let place = reader.place(key.span().start);
        let name: &str = key.get_ref();
        match Scope::ALL.into_iter().find(|scope| scope.as_str() == name) {
            Some(scope) => reader.tables(scope, place, value, &mut tables),
            None if name == "graph" => header = Some(reader.header(place, value)),
            None => reader.report.add(place, None, unknown_key(name, &TOP_KEYS)),
        }
    }
    tables.sort_by_key(|table| table.place);
    let is_readable = tables.len() <= NODES_MAX;
    if !is_readable {
        let kind = GraphErrorKind::TooManyNodes { nodes: tables.len(), max: NODES_MAX };
        reader.report.add(tables[NODES_MAX].place, None, kind);
        tables.clear();
    }
    let is_whole = is_readable && reader.broken.is_empty();
    if header.is_none() && is_whole {
        let valid = "graph = { content = \"audio\", channel = \"mixed\", format = \"mp3\" }";
        reader.report.add(Place::START, None, GraphErrorKind::MissingKey { key: "graph", valid });
    }
    let ends = tables.iter().skip(1).map(|table| table.place.line).chain([usize::MAX]).collect::<Vec<_>>();
    let nodes = tables.iter().zip(ends).map(|(table, end)| reader.node(table, end)).collect();
    let empty = HeaderSpec { place: Place::START, content: None, channel: None, format: None };
    Spec { header: header.unwrap_or(empty), nodes, is_whole }
}

/// Reports what is not TOML, once a line: one missing bracket makes the parser complain at every word after it.
fn report_syntax(lines: &Lines, mut errors: Vec<toml::de::Error>, report: &mut Report) -> Vec<usize> {
    errors.sort_by_key(|error| error.span().map_or(0, |span| span.start));
    let mut broken = Vec::new();
    for error in errors {
        let place = error.span().map_or(Place::START, |span| place(lines, span.start));
        if broken.last() != Some(&place.line) {
            broken.push(place.line);
            let message = error.message().replace('\n', " ");
            report.add(place, None, GraphErrorKind::Syntax { message });
        }
    }
    broken
}

/// A table that declares a node.
struct NodeTable<'a, 'i> {
    scope: Scope,
    name: &'a str,
    place: Place,
    value: &'a Written<'i>,
}

struct Reader<'a> {
    lines: Lines,
    report: &'a mut Report,
    /// Lines that are not TOML, ascending.
    broken: Vec<usize>,
}

fn place(lines: &Lines, offset: usize) -> Place {
    let (line, column) = lines.place(offset);
    Place { line, column }
}

impl Reader<'_> {
    fn place(&self, offset: usize) -> Place {
        place(&self.lines, offset)
    }

    fn tables<'a, 'i>(
        &mut self,
        scope: Scope,
        place: Place,
        value: &'a Written<'i>,
        tables: &mut Vec<NodeTable<'a, 'i>>,
    ) {
        let Some(table) = value.get_ref().as_table() else {
            let kind = wrong_type("a table of nodes", value);
            return self.report.add(place, Some(scope.as_str()), kind);
        };
        for (key, value) in table {
            let place = self.place(key.span().start);
            tables.push(NodeTable { scope, name: key.get_ref(), place, value });
        }
    }

    fn header(&mut self, place: Place, value: &Written<'_>) -> HeaderSpec {
        let mut header = HeaderSpec { place, content: None, channel: None, format: None };
        let Some(table) = value.get_ref().as_table() else {
            self.report.add(place, Some("graph"), wrong_type("a table", value));
            return header;
        };
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "content" => header.content = self.header_value("graph.content", value),
                "channel" => header.channel = self.header_value("graph.channel", value),
                "format" => header.format = self.header_value("graph.format", value),
                other => {
                    let place = self.place(key.span().start);
                    self.report.add(place, Some("graph"), unknown_key(other, &HEADER_KEYS));
                }
            }
        }
        let valid = ["\"audio\" or \"audio-video\"", "\"mixed\" or \"unmixed\"", "a file extension such as \"mp3\""];
        for (key, valid) in HEADER_KEYS.into_iter().zip(valid) {
            if !table.keys().any(|present| present.get_ref() == key) {
                self.report.add(place, Some("graph"), GraphErrorKind::MissingKey { key, valid });
            }
        }
        header
    }

    fn header_value<T>(&mut self, key: &str, value: &Written<'_>) -> Option<T>
    where
        T: FromStr,
        GraphErrorKind: From<T::Err>,
    {
        let place = self.place(value.span().start);
        let Some(text) = value.get_ref().as_str() else {
            self.report.add(place, Some(key), wrong_type("a string", value));
            return None;
        };
        text.parse().map_err(|error: T::Err| self.report.add(place, Some(key), error)).ok()
    }

    /// Reads a node that ends before a line. Of one with a broken line only its name is sure.
    fn node(&mut self, table: &NodeTable<'_, '_>, end: usize) -> NodeSpec {
        let name = At { value: table.name.to_owned(), place: table.place };
        let mut node = NodeSpec {
            name,
            scope: table.scope,
            element: None,
            inputs: Vec::new(),
            inputs_place: None,
            caps: None,
            properties: Vec::new(),
            limits: None,
        };
        let first_broken = self.broken.partition_point(|&line| line < table.place.line);
        if self.broken.get(first_broken).is_some_and(|&line| line < end) {
            return node;
        }
        let Some(keys) = table.value.get_ref().as_table() else {
            self.report.add_node(&node, wrong_type("a table", table.value));
            return node;
        };
        for (key, value) in keys {
            let place = self.place(key.span().start);
            match key.get_ref().as_ref() {
                "element" => node.element = self.string(&node, "element", value),
                "inputs" => {
                    node.inputs_place = Some(place);
                    node.inputs = self.inputs(&node, place, value);
                }
                "caps" => node.caps = self.string(&node, "caps", value),
                "properties" => node.properties = self.properties(&node, value),
                "limits" => node.limits = Some(At { value: self.limits(&node, value), place }),
                other => self.report.add_key(&node, place, other, unknown_key(other, &NODE_KEYS)),
            }
        }
        if !keys.keys().any(|key| key.get_ref() == "element") {
            let valid = "element = \"…\" with the name of a GStreamer element";
            self.report.add_node(&node, GraphErrorKind::MissingKey { key: "element", valid });
        }
        node
    }

    /// Reads all inputs. Where they are unreadable as a whole, one stands for them, so that they do not count as none.
    fn inputs(&mut self, node: &NodeSpec, place: Place, value: &Written<'_>) -> Vec<InputSpec> {
        let mut inputs = Vec::new();
        match value.get_ref() {
            DeValue::Array(entries) => {
                for (index, entry) in entries.iter().enumerate() {
                    inputs.push(self.input(node, Slot::Position(index), entry));
                }
            }
            DeValue::Table(pads) => {
                for (key, value) in pads {
                    let pad = key.get_ref().as_ref();
                    match value.get_ref() {
                        DeValue::Array(entries) => self.pad_inputs(node, pad, entries, &mut inputs),
                        _ => {
                            let slot = Slot::Pad { pad: pad.to_owned(), index: None };
                            inputs.push(self.input(node, slot, value));
                        }
                    }
                }
            }
            _ => {
                let expected = "an array of references, or a table of pads with a reference each";
                self.report.add_key(node, place, "inputs", wrong_type(expected, value));
                inputs.push(unreadable(place));
            }
        }
        if inputs.len() > INPUTS_MAX {
            let kind = GraphErrorKind::TooManyInputs { inputs: inputs.len(), max: INPUTS_MAX };
            self.report.add_key(node, place, "inputs", kind);
            inputs = vec![unreadable(place)];
        }
        inputs
    }

    fn pad_inputs(&mut self, node: &NodeSpec, pad: &str, entries: &DeArray<'_>, inputs: &mut Vec<InputSpec>) {
        for (index, entry) in entries.iter().enumerate() {
            let slot = Slot::Pad { pad: pad.to_owned(), index: Some(index) };
            inputs.push(self.input(node, slot, entry));
        }
    }

    fn input(&mut self, node: &NodeSpec, slot: Slot, value: &Written<'_>) -> InputSpec {
        let place = self.place(value.span().start);
        let mut input = InputSpec { slot, reference: None, place };
        match text("a reference as a string", value).and_then(read_reference) {
            Ok(reference) => input.reference = Some(reference),
            Err(kind) => self.report.add_key(node, place, &input.key(), kind),
        }
        input
    }

    fn properties(&mut self, node: &NodeSpec, value: &Written<'_>) -> Vec<PropertySpec> {
        let place = self.place(value.span().start);
        let Some(table) = value.get_ref().as_table() else {
            self.report.add_key(node, place, "properties", wrong_type("a table", value));
            return Vec::new();
        };
        let mut properties = Vec::new();
        for (key, value) in table {
            let name = At { value: key.get_ref().to_string(), place: self.place(key.span().start) };
            let place = self.place(value.span().start);
            match read_scalar(value) {
                Ok(scalar) => properties.push(PropertySpec { name, value: At { value: scalar, place } }),
                Err(kind) => self.report.add_key(node, place, &format!("properties.{}", name.value), kind),
            }
        }
        properties
    }

    fn limits(&mut self, node: &NodeSpec, value: &Written<'_>) -> LimitsSpec {
        let mut limits = LimitsSpec::default();
        let Some(table) = value.get_ref().as_table() else {
            let place = self.place(value.span().start);
            self.report.add_key(node, place, "limits", wrong_type("a table", value));
            return limits;
        };
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "max-duration" => {
                    limits.max_duration = self.quantity(node, "limits.max-duration", value, units::parse_duration);
                }
                "max-size" => limits.max_size = self.quantity(node, "limits.max-size", value, str::parse),
                other => {
                    let kind = unknown_key(other, &LIMIT_KEYS);
                    let place = self.place(key.span().start);
                    self.report.add_key(node, place, &format!("limits.{other}"), kind);
                }
            }
        }
        limits
    }

    fn quantity<T, E>(
        &mut self,
        node: &NodeSpec,
        key: &str,
        value: &Written<'_>,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<At<T>>
    where
        GraphErrorKind: From<E>,
    {
        let text = self.string(node, key, value)?;
        match parse(&text.value) {
            Ok(value) => Some(At { value, place: text.place }),
            Err(error) => {
                self.report.add_key(node, text.place, key, error);
                None
            }
        }
    }

    fn string(&mut self, node: &NodeSpec, key: &str, value: &Written<'_>) -> Option<At<String>> {
        let place = self.place(value.span().start);
        let text = text("a string", value).map_err(|kind| self.report.add_key(node, place, key, kind));
        text.ok().map(|text| At { value: text.to_owned(), place })
    }
}

fn unknown_key(found: &str, known: &[&str]) -> GraphErrorKind {
    GraphErrorKind::UnknownKey { found: found.to_owned(), known: Known::among(found, known) }
}

fn unreadable(place: Place) -> InputSpec {
    InputSpec { slot: Slot::Position(0), reference: None, place }
}

fn wrong_type(expected: &'static str, value: &Written<'_>) -> GraphErrorKind {
    GraphErrorKind::WrongType { expected, found: value.get_ref().type_str() }
}

/// A text. GStreamer's end at the first NUL, so that none may have one.
fn text<'v>(expected: &'static str, value: &'v Written<'_>) -> Result<&'v str, GraphErrorKind> {
    match value.get_ref().as_str() {
        Some(text) if text.contains('\0') => Err(GraphErrorKind::Nul { text: text.to_owned() }),
        Some(text) => Ok(text),
        None => Err(wrong_type(expected, value)),
    }
}

fn read_reference(text: &str) -> Result<Reference, GraphErrorKind> {
    if text.starts_with('@') {
        let door = Door::ALL.into_iter().find(|door| door.as_str() == text);
        return door.map(Reference::Door).ok_or_else(|| GraphErrorKind::UnknownDoor { door: text.to_owned() });
    }
    let (node, pad) = match text.split_once('.') {
        Some((node, pad)) => (node, Some(pad)),
        None => (text, None),
    };
    let is_word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_%".contains(c));
    if !is_word(node) || !pad.is_none_or(is_word) {
        return Err(GraphErrorKind::BadReference { reference: text.to_owned() });
    }
    Ok(Reference::Node { node: node.to_owned(), pad: pad.map(str::to_owned) })
}

/// A single value, which tables, arrays and dates are not.
fn read_scalar(value: &Written<'_>) -> Result<Scalar, GraphErrorKind> {
    const EXPECTED: &str = "a bool, integer, float or string";
    match value.get_ref() {
        DeValue::Boolean(value) => Ok(Scalar::Bool(*value)),
        DeValue::Integer(digits) => {
            let is_negative = digits.as_str().starts_with('-');
            let beyond = if is_negative { i128::MIN } else { i128::MAX };
            Ok(Scalar::Int(i128::from_str_radix(digits.as_str(), digits.radix()).unwrap_or(beyond)))
        }
        DeValue::Float(digits) => digits.as_str().parse().map(Scalar::Float).map_err(|_| wrong_type(EXPECTED, value)),
        _ => text(EXPECTED, value).map(|text| Scalar::Text(text.to_owned())),
    }
}
