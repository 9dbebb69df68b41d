//! What the header says of the files, held against what the nodes write, as far as these make it certain.

use crate::graph::check::caps;
use crate::graph::check::draft::CHANNELS;
use crate::graph::check::draft::Draft;
use crate::graph::check::draft::DraftLink;
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

/// Caps that say nothing.
const ANY: &str = "ANY";

/// The frames of MP3 files.
const MP3_FRAMES: &str = "audio/mpeg,mpegversion=1,layer=3";

/// What [`FILE_SINK`] makes of some caps, whatever the file is called.
const WRITTEN: [(&str, Format); 2] = [("audio/x-raw", Format::WAV), (MP3_FRAMES, Format::MP3)];

/// Raw audio to which [`FILE_SINK`] gives a header.
const HELD_RAW: &str = "audio/x-raw,format=S16LE,layout=interleaved";

/// What files with an ending are made of, by any sink. Nobody could play an encoder's packets without their container,
/// and leaving that out is easily done. Of other endings nothing is known.
const HELD: [(&[&str], &[&str]); 9] = [
    (&["wav"], &["audio/x-wav"]),
    (&["mp3"], &[MP3_FRAMES, "application/x-id3", "application/x-apetag"]),
    (&["flac"], &["audio/x-flac"]),
    (&["ogg", "oga", "opus", "spx"], &["application/ogg", "audio/ogg", "video/ogg"]),
    (&["m4a", "mp4"], &["video/quicktime", "audio/x-m4a"]),
    (&["aac"], &["audio/mpeg,mpegversion={2,4},stream-format=adts", "application/x-gst-av-adts"]),
    (&["mka", "mkv", "webm"], &["audio/x-matroska", "video/x-matroska", "audio/webm", "video/webm"]),
    (&["ts"], &["video/mpegts"]),
    (&["wma", "asf"], &["video/x-ms-asf"]),
];

/// The file is of the header's format: its ending is what everybody takes it for.
pub(super) fn check_format(draft: &Draft<'_>, elements: &dyn Elements, report: &mut Report) {
    let Some(format) = draft.spec.header.format.filter(|_| is_sound(draft)) else { return };
    for file in draft.nodes.iter().filter(|node| node.is_file()) {
        let [link] = file.links.as_slice() else { continue };
        let Some(given) = given(draft, link, draft.nodes.len(), elements) else { continue };
        let written = WRITTEN.into_iter().find(|(kind, _)| elements.is_subset(&given, kind));
        let written = written.map(|(_, format)| format).filter(|_| file.is_element(FILE_SINK));
        if let Some(written) = written.filter(|written| *written != format) {
            let kind = GraphErrorKind::OtherFormat { format, written };
            report.add(draft.spec.header.place, Some("graph.format"), kind);
            continue;
        }
        let held = HELD.iter().find(|(endings, _)| endings.contains(&format.extension()));
        let mut held: Vec<&str> = held.map_or_else(Vec::new, |(_, kinds)| kinds.to_vec());
        if format == Format::WAV && file.is_element(FILE_SINK) {
            held.push(HELD_RAW);
        }
        // What may be ADTS and may be raw AAC is raw in the end.
        let is_held = |kind: &&str| match format.extension() {
            "aac" => elements.is_subset(&given, kind),
            _ => elements.intersect(&given, kind).is_ok_and(|common| common.is_some()),
        };
        if !held.is_empty() && !held.iter().any(is_held) {
            let kind = GraphErrorKind::NotOfFormat { format, held, given: caps::shorten(&given) };
            report.add_key(file.spec, link.input.place, &link.input.key(), kind);
        }
    }
}

/// Whether only sound is recorded: of pictures too, one node of many says what the file is.
fn is_sound(draft: &Draft<'_>) -> bool {
    draft.spec.header.content == Some(Content::Audio)
}

/// The caps that come over a link, by all nodes before it that say something; None where that is nothing.
///
/// Nodes may stand in a circle, which is told elsewhere: `reach` is how many are looked at.
fn given(draft: &Draft<'_>, link: &DraftLink<'_>, reach: usize, elements: &dyn Elements) -> Option<String> {
    let given = caps::given_by(draft, link.from.as_ref()?, elements)?;
    let from = &draft.nodes[link.node()?];
    let came = match from.links.as_slice() {
        [before] if reach > 0 && passes_on(from) => self::given(draft, before, reach - 1, elements),
        _ => None,
    };
    let given = came.map_or(Some(given.clone()), |came| elements.intersect(&given, &came).ok().flatten());
    given.filter(|given| given != ANY)
}

/// Whether what comes out of a node is of the kind that went in.
fn passes_on(node: &DraftNode<'_>) -> bool {
    let Some(factory) = &node.factory else { return false };
    let is_any = |pad: &PadTemplate| pad.caps == ANY;
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

/// The engine feeds what the graph takes. A rule of today only, so it speaks where nothing else is wrong.
pub(super) fn check_fed(draft: &Draft<'_>, elements: &dyn Elements, report: &mut Report) {
    if elements.has_video() || !report.is_empty() {
        return;
    }
    if draft.spec.header.content == Some(Content::AudioVideo) {
        return report.add(draft.spec.header.place, Some("graph.content"), GraphErrorKind::NoVideoYet);
    }
    for splitter in draft.nodes.iter().filter(|node| node.is_splitter()) {
        for link in splitter.links.iter().skip(1) {
            let kind = GraphErrorKind::OneTrackYet { splitter: SPLITTER };
            report.add_key(splitter.spec, link.input.place, &link.input.key(), kind);
        }
    }
}
