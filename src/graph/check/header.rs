//! What the header says of the files, held against what the nodes write, as far as these make it certain.

use crate::graph::check::caps;
use crate::graph::check::draft::CHANNELS;
use crate::graph::check::draft::Draft;
use crate::graph::check::draft::DraftNode;
use crate::graph::check::draft::FILE_SINK;
use crate::graph::check::draft::GATE;
use crate::graph::check::draft::MIXER;
use crate::graph::check::draft::SPLITTER;
use crate::graph::elements::Elements;
use crate::graph::elements::PadTemplate;
use crate::graph::error::GraphErrorKind;
use crate::graph::plan::SinkPad;
use crate::graph::report::Report;
use crate::model::ChannelType;
use crate::model::Content;
use crate::model::Format;

/// What [`FILE_SINK`] makes of some caps, whatever the file is called.
const WRITTEN: [(&str, Format); 2] = [("audio/x-raw", Format::WAV), ("audio/mpeg,mpegversion=1,layer=3", Format::MP3)];

/// The file is of the header's format: its ending is what everybody takes it for.
pub(super) fn check_format(draft: &Draft<'_>, elements: &dyn Elements, report: &mut Report) {
    let Some(format) = draft.spec.header.format.filter(|_| is_sound(draft)) else { return };
    let files = draft.nodes.iter().enumerate().filter(|(_, node)| node.is_file() && node.is_element(FILE_SINK));
    for (index, _) in files {
        if let Some(written) = written(draft, index, elements).filter(|written| *written != format) {
            let kind = GraphErrorKind::OtherFormat { format, written };
            report.add(draft.spec.header.place, Some("graph.format"), kind);
        }
    }
}

/// Whether only sound is recorded: of pictures too, one node of many says what the file is.
fn is_sound(draft: &Draft<'_>) -> bool {
    draft.spec.header.content == Some(Content::Audio)
}

/// What a file sink writes, by the last caps before it that say.
fn written(draft: &Draft<'_>, file: usize, elements: &dyn Elements) -> Option<Format> {
    let mut index = file;
    // Nodes may stand in a circle, which is told elsewhere.
    for _ in &draft.nodes {
        let [link] = draft.nodes[index].links.as_slice() else { return None };
        let from = link.from.as_ref()?;
        let given = caps::given_by(draft, from, elements)?;
        let written = WRITTEN.into_iter().find(|(kind, _)| elements.is_subset(&given, kind));
        index = link.node()?;
        if written.is_some() || !passes_on(&draft.nodes[index]) {
            return written.map(|(_, format)| format);
        }
    }
    None
}

/// Whether what comes out of a node is of the kind that went in.
fn passes_on(node: &DraftNode<'_>) -> bool {
    let Some(factory) = &node.factory else { return false };
    let is_any = |pad: &PadTemplate| pad.caps == "ANY";
    node.is_splitter() || factory.srcs().any(|src| factory.partner(src).is_some()) || factory.pads.iter().all(is_any)
}

/// Participants share channels, or do not, as the header says.
pub(super) fn check_channel(draft: &Draft<'_>, report: &mut Report) {
    let Some(channel) = draft.spec.header.channel.filter(|_| is_sound(draft)) else { return };
    let Some((element, made)) = made(draft).filter(|(_, made)| *made != channel) else { return };
    let kind = GraphErrorKind::OtherChannel { channel, element, made };
    report.add(draft.spec.header.place, Some("graph.channel"), kind);
}

/// What the last element that joins participants makes of them.
fn made(draft: &Draft<'_>) -> Option<(&'static str, ChannelType)> {
    let mut index = draft.nodes.iter().position(DraftNode::is_splitter)?;
    let mut may_be_mixed = false;
    for _ in &draft.nodes {
        let node = &draft.nodes[index];
        if node.is_element(MIXER) {
            return Some((MIXER, ChannelType::Mixed));
        }
        if node.is_element(CHANNELS) {
            return (!may_be_mixed).then_some((CHANNELS, ChannelType::Unmixed));
        }
        may_be_mixed |= !node.is_element(GATE) && !node.is_splitter();
        let [link] = node.links.as_slice() else { return None };
        if matches!(link.to, Some(SinkPad::PerParticipant { .. })) {
            return None;
        }
        index = link.node()?;
    }
    None
}

/// The engine feeds what the graph takes.
pub(super) fn check_fed(draft: &Draft<'_>, elements: &dyn Elements, report: &mut Report) {
    if elements.has_video() {
        return;
    }
    if draft.spec.header.content == Some(Content::AudioVideo) {
        return report.add(draft.spec.header.place, Some("graph.content"), GraphErrorKind::NoVideoYet);
    }
    // A splitter of several tracks is not wrong, and may be what another error is about.
    if !report.is_empty() {
        return;
    }
    for splitter in draft.nodes.iter().filter(|node| node.is_splitter()) {
        for link in splitter.links.iter().skip(1) {
            let kind = GraphErrorKind::OneTrackYet { splitter: SPLITTER };
            report.add_key(splitter.spec, link.input.place, &link.input.key(), kind);
        }
    }
}
