//! Which sink pad each input goes to.
//!
//! | written as | goes to |
//! |---|---|
//! | i-th of an array | the sole sink pad, or the i-th pad of the sole request pad template |
//! | `sink_0 = …` | that pad |
//! | `"sink_%u" = …` | the next free pad of the template |
//! | either of the last two from a participant node, in recording scope | one pad of the template per participant |

use std::collections::HashMap;
use std::collections::HashSet;

use crate::graph::check::draft::Draft;
use crate::graph::check::draft::DraftNode;
use crate::graph::elements::Factory;
use crate::graph::elements::PadTemplate;
use crate::graph::elements::Presence;
use crate::graph::error::GraphErrorKind;
use crate::graph::known::Known;
use crate::graph::plan::Naming;
use crate::graph::plan::SinkPad;
use crate::graph::report::Report;
use crate::graph::spec::InputSpec;
use crate::graph::spec::Reference;
use crate::graph::spec::Scope;
use crate::graph::spec::Slot;

/// Finds the sink pad of every link whose element is known.
pub(super) fn resolve_sinks(draft: &mut Draft<'_>, report: &mut Report) {
    let spec = draft.spec;
    let participants = spec.nodes.iter().filter(|node| node.scope == Scope::Participant);
    let participants: HashSet<&str> = participants.map(|node| node.name.value.as_str()).collect();
    for node in &mut draft.nodes {
        let Some(factory) = &node.factory else { continue };
        if factory.sinks().next().is_none() {
            continue;
        }
        let mut numbers = Numbers::new(factory, node.spec.inputs.iter());
        let mut pads = Vec::new();
        for link in &node.links {
            let is_many = match &link.input.reference {
                Some(Reference::Node { node: from, .. }) => {
                    node.spec.scope == Scope::Recording && participants.contains(from.as_str())
                }
                Some(Reference::Door(_)) | None => false,
            };
            let fan = if is_many { Fan::Participants } else { Fan::One };
            let pad = resolve(node, factory, link.input, fan, &mut numbers);
            pads.push(pad.map_err(|kind| report.add_key(node.spec, link.input.place, &link.input.key(), kind)).ok());
        }
        for (link, pad) in node.links.iter_mut().zip(pads) {
            link.to = pad;
        }
    }
}

/// How many src pads a reference stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fan {
    One,
    Participants,
}

fn resolve(
    node: &DraftNode<'_>,
    factory: &Factory,
    input: &InputSpec,
    fan: Fan,
    numbers: &mut Numbers,
) -> Result<SinkPad, GraphErrorKind> {
    let (template, number) = match &input.slot {
        Slot::Position(index) => by_position(node, factory, *index)?,
        Slot::Pad { pad, .. } => by_name(node, factory, pad)?,
    };
    if fan == Fan::Participants {
        return per_participant(
            node,
            factory,
            template,
            number.filter(|_| matches!(input.slot, Slot::Pad { .. })),
            input,
        );
    }
    if template.presence == Presence::Always {
        return Ok(SinkPad::Always { name: template.name.clone() });
    }
    let is_named = matches!(&input.slot, Slot::Pad { pad, .. } if *pad != template.name);
    let naming = if is_named { Naming::Author } else { Naming::Counted };
    let number = number.unwrap_or_else(|| numbers.next(template));
    Ok(SinkPad::Request { template: template.name.clone(), name: template.pad(number), naming })
}

/// The template that the i-th entry of an array goes to, and its number there.
fn by_position<'f>(
    node: &DraftNode<'_>,
    factory: &'f Factory,
    index: usize,
) -> Result<(&'f PadTemplate, Option<u32>), GraphErrorKind> {
    let is_numbered = |pad: &&PadTemplate| pad.presence == Presence::Request && pad.prefix().is_some();
    let always: Vec<_> = factory.sinks().filter(|pad| pad.presence == Presence::Always).collect();
    let numbered: Vec<_> = factory.sinks().filter(is_numbered).collect();
    let requests: Vec<_> = factory.sinks().filter(|pad| pad.presence == Presence::Request).collect();
    let sole = match (always.as_slice(), numbered.as_slice(), requests.as_slice()) {
        ([], [template], _) => {
            let number = u32::try_from(index).expect("inputs are limited");
            return Ok((template, Some(number)));
        }
        ([sole], [], _) | ([], [], [sole]) => *sole,
        _ => {
            let example = numbered.first().or(always.first()).or(requests.first());
            return Err(GraphErrorKind::AmbiguousSinkPad {
                element: node.element(),
                example: example.map_or_else(String::new, |pad| pad.name.clone()),
                known: Known::among("", factory.sinks().map(|pad| pad.name.as_str())),
            });
        }
    };
    match index {
        0 => Ok((sole, None)),
        _ => Err(GraphErrorKind::SingleSinkPad { element: node.element(), pad: sole.name.clone() }),
    }
}

/// The template of a pad name, and the number in the name, if it has one.
fn by_name<'f>(
    node: &DraftNode<'_>,
    factory: &'f Factory,
    pad: &str,
) -> Result<(&'f PadTemplate, Option<u32>), GraphErrorKind> {
    for template in factory.sinks().filter(|template| template.presence != Presence::Sometimes) {
        if template.name == pad {
            return Ok((template, None));
        }
        if template.presence == Presence::Request
            && let Some(number) = template.number(pad)
        {
            return Ok((template, Some(number)));
        }
    }
    let known = Known::among(pad, factory.sinks().map(|template| template.name.as_str()));
    Err(GraphErrorKind::UnknownSinkPad { element: node.element(), pad: pad.to_owned(), known })
}

/// One pad per participant needs a template, no number, and an element that makes one stream of them.
fn per_participant(
    node: &DraftNode<'_>,
    factory: &Factory,
    template: &PadTemplate,
    number: Option<u32>,
    input: &InputSpec,
) -> Result<SinkPad, GraphErrorKind> {
    let from = input.reference.as_ref().map_or_else(String::new, ToString::to_string);
    let is_template = template.presence == Presence::Request && template.prefix().is_some();
    if !is_template || number.is_some() {
        let pad = number.map_or_else(|| template.name.clone(), |number| template.pad(number));
        return Err(GraphErrorKind::OnePadForMany { from, element: node.element(), pad });
    }
    let is_paired = factory.srcs().any(|src| factory.partner(src).is_some());
    if is_paired || node.is_splitter() {
        return Err(GraphErrorKind::NotJoined { from, element: node.element() });
    }
    Ok(SinkPad::PerParticipant { template: template.name.clone() })
}

/// Gives out the numbers that a node's inputs do not name themselves.
struct Numbers {
    named: HashSet<String>,
    next: HashMap<String, u32>,
}

impl Numbers {
    fn new<'a>(factory: &Factory, inputs: impl Iterator<Item = &'a InputSpec>) -> Self {
        let named = inputs.filter_map(|input| match &input.slot {
            Slot::Pad { pad, .. } if factory.sinks().any(|sink| sink.number(pad).is_some()) => Some(pad.clone()),
            _ => None,
        });
        Self { named: named.collect(), next: HashMap::new() }
    }

    fn next(&mut self, template: &PadTemplate) -> u32 {
        let next = self.next.entry(template.name.clone()).or_default();
        while self.named.contains(&template.pad(*next)) && template.prefix().is_some() {
            *next += 1;
        }
        let number = *next;
        *next += 1;
        number
    }
}
