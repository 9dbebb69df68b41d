//! What a client asks for when it starts a recording: read, completed by the service's defaults, checked. Pure.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::acs::Problem;
use crate::acs::participants::Identifier;
use crate::model::ChannelType;
use crate::model::Content;
use crate::model::Format;
use crate::model::NAME_BYTES_MAX;

/// Channels that participants can be given, from 0.
const CHANNELS: u32 = 5;

/// Longest address that is called back.
const ADDRESS_BYTES_MAX: usize = 4_096;

/// Participants that can be told by name.
const NAMED_MAX: usize = 500;

/// How a client names a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Locator {
    /// By what the call was told when it began: `serverCallId`.
    Server(String),
    /// By `groupCallId`.
    Group(String),
    /// By `roomId`.
    Room(String),
    /// By `callConnectionId`.
    Connection(String),
}

/// A recording as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartRecording {
    /// Which call.
    pub call: Locator,
    /// What is recorded.
    pub content: Content,
    /// Who shares a channel.
    pub channel: ChannelType,
    /// What the files are.
    pub format: Format,
    /// Raw ids of participants with the channel that each is to have.
    pub pins: Vec<(String, u32)>,
    /// It begins paused.
    pub pause_on_start: bool,
    /// Who is told of its states.
    pub callback: Option<String>,
}

/// The body, field for field. Everything may be absent or null.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StartBody {
    call_locator: Option<CallLocator>,
    call_connection_id: Option<String>,
    recording_state_callback_uri: Option<String>,
    recording_content_type: Option<String>,
    recording_channel_type: Option<String>,
    recording_format_type: Option<String>,
    audio_channel_participant_ordering: Option<Vec<Identifier>>,
    channel_affinity: Option<Vec<Affinity>>,
    pause_on_start: Option<bool>,
    external_storage: Option<ExternalStorage>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CallLocator {
    kind: Option<String>,
    server_call_id: Option<String>,
    group_call_id: Option<String>,
    room_id: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
struct Affinity {
    channel: Option<i64>,
    participant: Option<Identifier>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ExternalStorage {
    recording_storage_kind: Option<String>,
}

impl StartRecording {
    /// Reads the body of a start request.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong with it, or that is not served.
    pub fn read(body: &[u8]) -> Result<Self, Problem> {
        let body: StartBody =
            serde_json::from_slice(body).map_err(|error| invalid(format!("The body is malformed: {error}")))?;
        let call = locator(body.call_locator, body.call_connection_id)?;
        let (content, channel, format) = media(
            body.recording_content_type.as_deref(),
            body.recording_channel_type.as_deref(),
            body.recording_format_type.as_deref(),
        )?;
        let ordering = body.audio_channel_participant_ordering.unwrap_or_default();
        let pins = pins(body.channel_affinity.unwrap_or_default(), ordering)?;
        if channel == ChannelType::Mixed && !pins.is_empty() {
            return Err(invalid("Channels can be chosen in unmixed recordings only.".to_owned()));
        }
        let storage = body.external_storage.and_then(|storage| storage.recording_storage_kind);
        if storage.is_some_and(|kind| !kind.eq_ignore_ascii_case("azureCommunicationServices")) {
            return Err(Problem::Unsupported("External storage is not supported here yet.".to_owned()));
        }
        let callback = body.recording_state_callback_uri.filter(|uri| !uri.is_empty());
        let is_url = |uri: &String| uri.starts_with("https://") || uri.starts_with("http://");
        if callback.as_ref().is_some_and(|uri| !is_url(uri) || uri.len() > ADDRESS_BYTES_MAX) {
            return Err(invalid("The field recordingStateCallbackUri is invalid.".to_owned()));
        }
        Ok(Self { call, content, channel, format, pins, pause_on_start: body.pause_on_start == Some(true), callback })
    }
}

fn invalid(message: String) -> Problem {
    Problem::InvalidArgument(message)
}

fn locator(locator: Option<CallLocator>, connection: Option<String>) -> Result<Locator, Problem> {
    let connection = connection.filter(|id| !id.is_empty());
    let found = match (locator, connection) {
        (Some(_), Some(_)) => {
            return Err(invalid("Only one of callLocator and callConnectionId can be used.".to_owned()));
        }
        (None, Some(id)) => Some(Locator::Connection(id)),
        (None, None) => None,
        (Some(CallLocator { kind, server_call_id, group_call_id, room_id }), None) => {
            match kind.unwrap_or_default().to_ascii_lowercase().as_str() {
                "servercalllocator" => server_call_id.map(Locator::Server),
                "groupcalllocator" => group_call_id.map(Locator::Group),
                "roomcalllocator" => room_id.map(Locator::Room),
                _ => None,
            }
        }
    };
    let is_name = |found: &Locator| {
        let (Locator::Server(id) | Locator::Group(id) | Locator::Room(id) | Locator::Connection(id)) = found;
        !id.is_empty() && id.len() <= NAME_BYTES_MAX
    };
    found.filter(is_name).ok_or_else(|| invalid("callLocator or callConnectionId must name a call.".to_owned()))
}

/// Completes what was left open: everybody's voices in one channel as MP3, and otherwise what there is one way to do.
fn media(
    content: Option<&str>,
    channel: Option<&str>,
    format: Option<&str>,
) -> Result<(Content, ChannelType, Format), Problem> {
    let read = |field: &str, said: Option<&str>, known: &[&'static str]| match said.filter(|said| !said.is_empty()) {
        None => Ok(None),
        Some(said) => {
            let place = known.iter().position(|known| known.eq_ignore_ascii_case(said));
            place.map(Some).ok_or_else(|| invalid(format!("{field} must be one of {}.", known.join(", "))))
        }
    };
    let content = read("recordingContentType", content, &["audio", "audioVideo"])?;
    let channel = read("recordingChannelType", channel, &["mixed", "unmixed"])?;
    let format = read("recordingFormatType", format, &["wav", "mp3", "mp4"])?;
    let format = format.map(|place| [Format::WAV, Format::MP3, Format::MP4][place]);
    let content = match (content, format) {
        (Some(place), _) => [Content::Audio, Content::AudioVideo][place],
        (None, Some(Format::MP4)) => Content::AudioVideo,
        (None, _) => Content::Audio,
    };
    let channel = channel.map_or(ChannelType::Mixed, |place| [ChannelType::Mixed, ChannelType::Unmixed][place]);
    let format = format.unwrap_or(match (content, channel) {
        (Content::AudioVideo, _) => Format::MP4,
        (Content::Audio, ChannelType::Unmixed) => Format::WAV,
        (Content::Audio, ChannelType::Mixed) => Format::MP3,
    });
    let fits = match (content, channel) {
        (Content::AudioVideo, ChannelType::Mixed) => format == Format::MP4,
        (Content::AudioVideo, ChannelType::Unmixed) => false,
        (Content::Audio, ChannelType::Mixed) => matches!(format, Format::WAV | Format::MP3),
        (Content::Audio, ChannelType::Unmixed) => format == Format::WAV,
    };
    match fits {
        true => Ok((content, channel, format)),
        false => Err(Problem::WrongFormat(
            "Audio and video is recorded as mixed mp4, audio as mixed mp3 or wav, or as unmixed wav.".to_owned(),
        )),
    }
}

/// Who was given a channel has it; the others are given what is left, in their order.
fn pins(affinity: Vec<Affinity>, ordering: Vec<Identifier>) -> Result<Vec<(String, u32)>, Problem> {
    if affinity.len() + ordering.len() > NAMED_MAX {
        return Err(invalid("Too many participants are named.".to_owned()));
    }
    let mut pins: Vec<(String, u32)> = Vec::new();
    for Affinity { channel, participant } in affinity {
        let channel = channel.and_then(|channel| u32::try_from(channel).ok()).filter(|channel| *channel < CHANNELS);
        let channel = channel.ok_or_else(|| invalid("A channel must be from 0 to 4.".to_owned()))?;
        let participant = participant.and_then(Identifier::raw_id);
        let participant = participant.ok_or_else(|| invalid("channelAffinity must name a participant.".to_owned()))?;
        if pins.iter().any(|(id, taken)| *id == participant || *taken == channel) {
            return Err(invalid("channelAffinity gives a channel or a participant twice.".to_owned()));
        }
        pins.push((participant, channel));
    }
    for identifier in ordering {
        let named = identifier.raw_id();
        let named =
            named.ok_or_else(|| invalid("audioChannelParticipantOrdering must name participants.".to_owned()))?;
        let free = (0..CHANNELS).find(|channel| pins.iter().all(|(_, taken)| taken != channel));
        if let Some(channel) = free.filter(|_| pins.iter().all(|(id, _)| *id != named)) {
            pins.push((named, channel));
        }
    }
    Ok(pins)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<StartRecording, Problem> {
        StartRecording::read(json.as_bytes())
    }

    /// A body that names a call, and says more.
    fn with(more: &str) -> Result<StartRecording, Problem> {
        read(&format!(r#"{{"callLocator":{{"serverCallId":"sc","kind":"serverCallLocator"}}{more}}}"#))
    }

    #[test]
    fn what_is_left_open_is_what_the_service_does() {
        let started = with("").expect("a call is named");
        assert_eq!(started.call, Locator::Server("sc".to_owned()));
        assert_eq!(
            (started.content, started.channel, started.format),
            (Content::Audio, ChannelType::Mixed, Format::MP3)
        );
        assert!(!started.pause_on_start && started.pins.is_empty() && started.callback.is_none());
    }

    #[test]
    fn nulls_and_empty_arrays_are_nothing() {
        let nulls = r#","callConnectionId":null,"recordingContentType":null,"recordingChannelType":null,
            "recordingFormatType":null,"audioChannelParticipantOrdering":null,"channelAffinity":[],"pauseOnStart":null,
            "externalStorage":null,"recordingStateCallbackUri":null,"somethingNew":{"a":1}"#;
        assert_eq!(with(nulls), with(""));
        assert_eq!(with(r#","externalStorage":{"recordingStorageKind":"azureCommunicationServices"}"#), with(""));
    }

    #[test]
    fn media_that_go_together_are_completed() {
        use ChannelType::{Mixed, Unmixed};
        let words = |content: &str, channel: &str, format: &str| {
            let word = |key: &str, value: &str| match value {
                "" => String::new(),
                value => format!(r#","{key}":"{value}""#),
            };
            let [content, channel, format] = [
                word("recordingContentType", content),
                word("recordingChannelType", channel),
                word("recordingFormatType", format),
            ];
            with(&format!("{content}{channel}{format}")).map(|s| (s.content, s.channel, s.format))
        };
        assert_eq!(words("", "unmixed", ""), Ok((Content::Audio, Unmixed, Format::WAV)));
        assert_eq!(words("", "", "wav"), Ok((Content::Audio, Mixed, Format::WAV)));
        assert_eq!(words("audioVideo", "", ""), Ok((Content::AudioVideo, Mixed, Format::MP4)));
        assert_eq!(words("", "", "MP4"), Ok((Content::AudioVideo, Mixed, Format::MP4)));
        for (content, channel, format) in [
            ("audio", "mixed", "mp4"),
            ("audio", "unmixed", "mp3"),
            ("audioVideo", "mixed", "wav"),
            ("audioVideo", "unmixed", ""),
        ] {
            assert_eq!(words(content, channel, format).expect_err(format).code(), "8557");
        }
        for (content, channel, format) in [("video", "", ""), ("", "stereo", ""), ("", "", "flac")] {
            assert_eq!(words(content, channel, format).expect_err(format).code(), "8523");
        }
    }

    #[test]
    fn calls_are_named_in_four_ways() {
        let by = |body: &str| read(body).map(|started| started.call);
        assert_eq!(
            by(r#"{"callLocator":{"groupCallId":"g","kind":"groupCallLocator"}}"#),
            Ok(Locator::Group("g".into()))
        );
        assert_eq!(by(r#"{"callLocator":{"roomId":"r","kind":"roomCallLocator"}}"#), Ok(Locator::Room("r".into())));
        assert_eq!(by(r#"{"callConnectionId":"c","callLocator":null}"#), Ok(Locator::Connection("c".into())));
        for body in [
            "",
            "[]",
            "{}",
            "nonsense",
            r#"{"callLocator":{}}"#,
            r#"{"callLocator":{"serverCallId":"","kind":"serverCallLocator"}}"#,
            r#"{"callLocator":{"serverCallId":"a","kind":"groupCallLocator"}}"#,
            r#"{"callLocator":{"serverCallId":7,"kind":"serverCallLocator"}}"#,
            r#"{"callLocator":{"serverCallId":"a","kind":"serverCallLocator"},"callConnectionId":"c"}"#,
        ] {
            assert_eq!(by(body).expect_err(body).code(), "8523");
        }
    }

    #[test]
    fn channels_are_given_by_affinity_and_then_in_order() {
        let unmixed = |more: &str| with(&format!(r#","recordingChannelType":"unmixed"{more}"#)).map(|start| start.pins);
        let ordering = r#","audioChannelParticipantOrdering":[{"rawId":"a"},{"rawId":"b"},{"rawId":"c"}]"#;
        let affinity = r#","channelAffinity":[{"channel":1,"participant":{"rawId":"b"}}]"#;
        let named = |pins: &[(&str, u32)]| Ok(pins.iter().map(|(id, at)| (id.to_string(), *at)).collect::<Vec<_>>());
        assert_eq!(unmixed(ordering), named(&[("a", 0), ("b", 1), ("c", 2)]));
        assert_eq!(unmixed(&format!("{affinity}{ordering}")), named(&[("b", 1), ("a", 0), ("c", 2)]));
        for affinity in [
            r#"[{"channel":5,"participant":{"rawId":"b"}}]"#,
            r#"[{"channel":-1,"participant":{"rawId":"b"}}]"#,
            r#"[{"channel":0}]"#,
            r#"[{"channel":0,"participant":{}}]"#,
            r#"[{"channel":0,"participant":{"rawId":"a"}},{"channel":0,"participant":{"rawId":"b"}}]"#,
        ] {
            let refused = unmixed(&format!(r#","channelAffinity":{affinity}"#));
            assert_eq!(refused.expect_err(affinity).code(), "8523");
        }
        assert_eq!(with(affinity).expect_err("it is mixed").code(), "8523");
    }

    #[test]
    fn what_is_not_served_is_told() {
        let storage = r#","externalStorage":{"recordingStorageKind":"azureBlobStorage",
            "recordingDestinationContainerUrl":"https://a.blob.core.windows.net/r"}"#;
        assert_eq!(with(storage).expect_err("it is external").code(), "8520");
        assert_eq!(with(r#","recordingStateCallbackUri":"ftp://x""#).expect_err("no URL").code(), "8523");
        assert!(
            with(r#","recordingStateCallbackUri":"https://x/cb","pauseOnStart":true"#).is_ok_and(|s| s.pause_on_start)
        );
    }
}
