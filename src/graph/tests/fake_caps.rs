//! As much of GStreamer's caps as pad templates need: structures, ranges, lists.

use std::collections::BTreeMap;

/// Alternatives; `None` is `ANY`.
pub(super) type Caps = Option<Vec<Structure>>;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Structure {
    name: String,
    fields: BTreeMap<String, Vec<Item>>,
}

#[derive(Debug, Clone, PartialEq)]
enum Item {
    Word(String),
    Range(i64, i64),
}

/// Reads caps; `None` where they are none.
pub(super) fn parse(text: &str) -> Option<Caps> {
    if text == "ANY" {
        return Some(None);
    }
    let structures: Option<Vec<Structure>> = text.split(';').map(parse_structure).collect();
    structures.map(Some)
}

pub(super) fn intersect(a: &Caps, b: &Caps) -> Caps {
    let (Some(a), Some(b)) = (a, b) else { return a.clone().or_else(|| b.clone()) };
    let pairs = a.iter().flat_map(|a| b.iter().map(move |b| (a, b)));
    Some(pairs.filter_map(|(a, b)| intersect_structures(a, b)).collect())
}

pub(super) fn show(caps: &Caps) -> String {
    match caps {
        None => "ANY".to_owned(),
        Some(structures) => structures.iter().map(show_structure).collect::<Vec<_>>().join("; "),
    }
}

fn parse_structure(text: &str) -> Option<Structure> {
    let mut parts = split_fields(text);
    let name = parts.remove(0);
    let is_name = name.contains('/') && name.chars().all(|c| c.is_ascii_alphanumeric() || "/-+._".contains(c));
    let fields: Option<BTreeMap<_, _>> = parts.iter().map(|part| parse_field(part)).collect();
    is_name.then_some(())?;
    Some(Structure { name, fields: fields? })
}

/// Splits at commas that stand outside of lists and ranges.
fn split_fields(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0;
    for c in text.chars() {
        match c {
            '{' | '[' => depth += 1,
            '}' | ']' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().expect("there is a part from the beginning").push(c);
    }
    parts.iter().map(|part| part.trim().to_owned()).collect()
}

fn parse_field(text: &str) -> Option<(String, Vec<Item>)> {
    let (name, value) = text.split_once('=')?;
    let value = value.trim();
    let value = if value.starts_with('(') { value.split_once(')')?.1.trim() } else { value };
    let items = match value.strip_prefix('{').and_then(|value| value.strip_suffix('}')) {
        Some(list) => list.split(',').map(|item| parse_item(item.trim())).collect::<Option<Vec<_>>>()?,
        None => vec![parse_item(value)?],
    };
    Some((name.trim().to_owned(), items))
}

fn parse_item(text: &str) -> Option<Item> {
    if let Some(range) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        let (min, max) = range.split_once(',')?;
        return Some(match (min.trim().parse(), max.trim().parse()) {
            (Ok(min), Ok(max)) => Item::Range(min, max),
            // Ranges of fractions are not told apart here: they take any frame rate.
            _ => Item::Range(0, i64::MAX),
        });
    }
    if text.is_empty() || text.contains(|c: char| "{}[]()= ".contains(c)) {
        return None;
    }
    let number = text.split('/').next().unwrap_or(text).parse();
    Some(number.map_or_else(|_| Item::Word(text.to_owned()), |number| Item::Range(number, number)))
}

fn intersect_structures(a: &Structure, b: &Structure) -> Option<Structure> {
    if a.name != b.name {
        return None;
    }
    let mut fields = a.fields.clone();
    for (name, b_items) in &b.fields {
        let common = match a.fields.get(name) {
            None => b_items.clone(),
            Some(a_items) => {
                let pairs = a_items.iter().flat_map(|a| b_items.iter().map(move |b| (a, b)));
                pairs.filter_map(|(a, b)| intersect_items(a, b)).collect()
            }
        };
        if common.is_empty() {
            return None;
        }
        fields.insert(name.clone(), common);
    }
    Some(Structure { name: a.name.clone(), fields })
}

fn intersect_items(a: &Item, b: &Item) -> Option<Item> {
    match (a, b) {
        (Item::Word(a), Item::Word(b)) => (a == b).then(|| Item::Word(a.clone())),
        (Item::Range(a_min, a_max), Item::Range(b_min, b_max)) => {
            let (min, max) = (*a_min.max(b_min), *a_max.min(b_max));
            (min <= max).then_some(Item::Range(min, max))
        }
        _ => None,
    }
}

fn show_structure(structure: &Structure) -> String {
    let item = |item: &Item| match item {
        Item::Word(word) => word.clone(),
        Item::Range(min, max) if min == max => min.to_string(),
        Item::Range(min, max) => format!("[{min},{max}]"),
    };
    let field = |(name, items): (&String, &Vec<Item>)| match items.as_slice() {
        [sole] => format!("{name}={}", item(sole)),
        items => format!("{name}={{{}}}", items.iter().map(item).collect::<Vec<_>>().join(",")),
    };
    let parts = [structure.name.clone()].into_iter().chain(structure.fields.iter().map(field));
    parts.collect::<Vec<_>>().join(",")
}

#[test]
fn fake_caps_meet_as_real_ones_do() {
    let meet = |a: &str, b: &str| show(&intersect(&parse(a).unwrap(), &parse(b).unwrap()));
    assert_eq!(
        meet("audio/x-raw, rate=(int)[ 1, 9 ]", "audio/x-raw, rate=(int){ 8, 9, 10 }"),
        "audio/x-raw,rate={8,9}"
    );
    assert_eq!(meet("ANY", "audio/x-opus"), "audio/x-opus");
    assert_eq!(meet("audio/x-raw,format=S16LE", "audio/x-raw,format={S8,F32LE}"), "");
    assert_eq!(meet("audio/x-flac; audio/x-opus", "audio/x-opus,channels=1"), "audio/x-opus,channels=1");
    assert_eq!(parse("audio/x-raw,rate"), None);
}
