//! SDP offers, answered (RFC 8866, RFC 3264): what somebody says that they send, and where it is to be sent.
//!
//! One stream of audio is taken, the first that can be; all others are refused with port 0, as the answer must have a
//! line for each. Must not know sockets.

use std::net::SocketAddr;

use sdp_types::Attribute;
use sdp_types::Connection;
use sdp_types::Media;
use sdp_types::Origin;
use sdp_types::Session;
use sdp_types::Time;

use crate::media::Codec;
use crate::media::Payloads;
use crate::media::Settings;

/// Longest offer that is looked at, and most streams in it.
const OFFER_BYTES_MAX: usize = 64 << 10;
const STREAMS_MAX: usize = 32;

/// Payload types that there are (RFC 3550 §5.1).
const TYPES: usize = 128;

/// Encryption would need keys; feedback is not sent, which its profile allows.
const PROFILES: [&str; 2] = ["RTP/AVP", "RTP/AVPF"];

/// Why an offer is not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SdpError {
    /// It is none.
    #[error("it is no SDP: {0}")]
    Malformed(String),
    /// It is too long, or has too many streams.
    #[error("it has more than 64 KiB, or more than 32 streams")]
    TooLarge,
    /// Nothing of it can be taken.
    #[error("it offers no audio by RTP/AVP in opus, PCMU, PCMA, G722 or L16")]
    NoAudio,
    /// Its audio does not come here.
    #[error("its audio is recvonly or inactive")]
    NotSent,
}

/// An offer that can be answered.
#[derive(Debug, Clone)]
pub struct Offer {
    session: Session,
    /// Which stream is taken.
    at: usize,
    settings: Settings,
}

impl Offer {
    /// Reads an offer.
    ///
    /// # Errors
    ///
    /// It is none, or nothing of it can be recorded.
    pub fn read(text: &str) -> Result<Self, SdpError> {
        if text.len() > OFFER_BYTES_MAX {
            return Err(SdpError::TooLarge);
        }
        let session = Session::parse(text.as_bytes()).map_err(|error| SdpError::Malformed(error.to_string()))?;
        if session.medias.len() > STREAMS_MAX {
            return Err(SdpError::TooLarge);
        }
        let is_taken =
            |media: &Media| media.media == "audio" && media.port != 0 && PROFILES.contains(&media.proto.as_str());
        let streams = session.medias.iter().enumerate().filter(|(_, media)| is_taken(media));
        let known: Vec<_> = streams.filter_map(|(at, media)| Some((at, media, payloads(media)?))).collect();
        let none = if known.is_empty() { SdpError::NoAudio } else { SdpError::NotSent };
        let sent = known.into_iter().find(|(_, media, _)| is_sent(&session, media));
        let (at, _, payloads) = sent.ok_or(none)?;
        Ok(Self { session, at, settings: Settings { payloads, source: None, ssrc: None } })
    }

    /// Returns what is sent. Whoever comes first is taken: behind a translator of addresses, offers tell others.
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// Returns the answer: it is to be sent to that address.
    pub fn answer(&self, address: SocketAddr) -> String {
        let media = |(at, offered): (usize, &Media)| match at == self.at {
            true => self.taken(offered, address.port()),
            false => refused(offered),
        };
        let mut answer = Session::new(Origin::with_ip_addr(0, 0, address.ip()), "-");
        answer.connection = Some(Connection::from_ip_addr(address.ip()));
        answer.times = vec![Time::new(0, 0)];
        answer.medias = self.session.medias.iter().enumerate().map(media).collect();
        let mut text = Vec::new();
        // A vector takes all that is written.
        let _ = answer.write(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    }

    fn taken(&self, offered: &Media, port: u16) -> Media {
        let Payloads { payload_type, events, .. } = self.settings.payloads;
        let types: Vec<_> = payload_type.into_iter().chain(events).map(|number| number.to_string()).collect();
        let is_ours = |attribute: &&Attribute| {
            let value = attribute.value.as_deref().unwrap_or_default();
            let of = value.split(' ').next().unwrap_or_default();
            matches!(attribute.attribute.as_str(), "rtpmap" | "fmtp") && types.iter().any(|number| number == of)
        };
        let mut attributes: Vec<_> = offered.attributes.iter().filter(is_ours).cloned().collect();
        attributes.extend(offered.attributes.iter().filter(|attribute| attribute.attribute == "mid").cloned());
        attributes.push(Attribute { attribute: "recvonly".to_owned(), value: None });
        Media { port, num_ports: None, fmt: types.join(" "), attributes, ..bare(offered) }
    }
}

fn refused(offered: &Media) -> Media {
    Media { port: 0, num_ports: None, ..bare(offered) }
}

/// Returns a stream without what is said of it.
fn bare(offered: &Media) -> Media {
    Media {
        media_title: None,
        connections: Vec::new(),
        bandwidths: Vec::new(),
        key: None,
        attributes: Vec::new(),
        ..offered.clone()
    }
}

/// Returns the payload types of the first codec that can be recorded, as its sender prefers.
fn payloads(media: &Media) -> Option<Payloads> {
    let maps = rtpmaps(media);
    let types = || media.fmt.split(' ').filter_map(|number| number.parse().ok()).filter(|number| *number < TYPES);
    let known = |number: usize| Some((number as u8, codec(number, maps[number])?));
    let (payload_type, codec) = types().find_map(known)?;
    let is_events = |number: &usize| {
        let map = maps[*number].unwrap_or_default().to_ascii_lowercase();
        map == "telephone-event/8000" || map == "telephone-event/48000"
    };
    let events = types().find(is_events).map(|number| number as u8);
    Some(Payloads { codec, payload_type: Some(payload_type), events })
}

/// Returns what is said of each payload type: name, clock, channels. Read once, however many types are offered.
fn rtpmaps(media: &Media) -> [Option<&str>; TYPES] {
    let mut maps = [None; TYPES];
    for attribute in media.attributes.iter().filter(|attribute| attribute.attribute == "rtpmap") {
        let Some((number, map)) = attribute.value.as_deref().and_then(|value| value.trim().split_once(' ')) else {
            continue;
        };
        if let Some(place) = number.parse().ok().and_then(|number: usize| maps.get_mut(number)) {
            place.get_or_insert(map.trim());
        }
    }
    maps
}

fn codec(payload_type: usize, map: Option<&str>) -> Option<Codec> {
    let Some(map) = map else {
        return match payload_type {
            0 => Some(Codec::Pcmu),
            8 => Some(Codec::Pcma),
            9 => Some(Codec::G722),
            10 => Some(Codec::L16 { rate: 44_100, channels: 2 }),
            11 => Some(Codec::L16 { rate: 44_100, channels: 1 }),
            _ => None,
        };
    };
    let mut parts = map.split('/');
    let (name, rate) = (parts.next()?.to_ascii_lowercase(), parts.next()?.parse::<u32>().ok()?);
    let channels = parts.next().map_or(Some(1), |channels| channels.parse::<u32>().ok())?;
    match (name.as_str(), rate, channels) {
        ("opus", 48_000, 2) => Some(Codec::Opus),
        ("pcmu", 8_000, 1) => Some(Codec::Pcmu),
        ("pcma", 8_000, 1) => Some(Codec::Pcma),
        ("g722", 8_000, 1) => Some(Codec::G722),
        ("l16", 8_000..=192_000, 1..=2) => Some(Codec::L16 { rate, channels }),
        _ => None,
    }
}

/// Returns whether a stream is sent to who answers; what the session says holds where the stream says nothing.
fn is_sent(session: &Session, media: &Media) -> bool {
    let directions = ["sendrecv", "sendonly", "recvonly", "inactive"];
    let said = |attributes: &[Attribute]| {
        let mut told = attributes.iter().map(|attribute| attribute.attribute.as_str());
        told.rfind(|name| directions.contains(name)).map(str::to_owned)
    };
    let direction = said(&media.attributes).or_else(|| said(&session.attributes));
    !matches!(direction.as_deref(), Some("recvonly" | "inactive"))
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    /// What a softphone offers: video too, and several codecs.
    const PHONE: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
        m=video 5000 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n\
        m=audio 4000 RTP/AVP 96 111 8 126\r\na=rtpmap:96 speex/16000\r\na=rtpmap:111 opus/48000/2\r\n\
        a=fmtp:111 useinbandfec=1\r\na=rtpmap:126 telephone-event/8000\r\na=fmtp:126 0-15\r\na=mid:1\r\na=sendrecv\r\n";

    fn offer(audio: &str) -> String {
        format!("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n{audio}")
    }

    #[test]
    fn the_first_codec_that_can_be_recorded_is_answered() {
        let offer = Offer::read(PHONE).expect("it can be answered");
        let expected = Payloads { codec: Codec::Opus, payload_type: Some(111), events: Some(126) };
        assert_eq!(offer.settings(), Settings { payloads: expected, source: None, ssrc: None });
        let answer = offer.answer(([127, 0, 0, 1], 20_000).into());
        let expected = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
            m=video 0 RTP/AVP 97\r\n\
            m=audio 20000 RTP/AVP 111 126\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1\r\n\
            a=rtpmap:126 telephone-event/8000\r\na=fmtp:126 0-15\r\na=mid:1\r\na=recvonly\r\n";
        assert_eq!(answer, expected);
        let six = offer.answer("[::1]:20000".parse().expect("an address"));
        assert!(six.contains("c=IN IP6 ::1\r\n"), "{six}");
    }

    #[test]
    fn codecs_are_told_by_maps_and_by_their_numbers() {
        let codec = |audio: &str| Offer::read(&offer(audio)).map(|offer| offer.settings().payloads.codec);
        for (audio, expected) in [
            ("m=audio 4000 RTP/AVP 0 8\r\n", Codec::Pcmu),
            ("m=audio 4000 RTP/AVP 13 8\r\n", Codec::Pcma),
            ("m=audio 4000 RTP/AVPF 9\r\na=sendonly\r\n", Codec::G722),
            ("m=audio 4000 RTP/AVP 11\r\n", Codec::L16 { rate: 44_100, channels: 1 }),
            ("m=audio 4000 RTP/AVP 98\r\na=rtpmap:98 L16/16000\r\n", Codec::L16 { rate: 16_000, channels: 1 }),
            // A static number that was given another meaning, and an audio line that is not to be taken.
            ("m=audio 4000 RTP/AVP 0 8\r\na=rtpmap:0 speex/8000\r\n", Codec::Pcma),
            ("m=audio 0 RTP/AVP 0\r\nm=audio 4000 RTP/AVP 8\r\n", Codec::Pcma),
            ("m=audio 4000 RTP/AVP 0\r\na=inactive\r\nm=audio 4000 RTP/AVP 8\r\n", Codec::Pcma),
        ] {
            assert_eq!(codec(audio), Ok(expected), "{audio}");
        }
        for (audio, expected) in [
            ("", SdpError::NoAudio),
            ("m=video 4000 RTP/AVP 97\r\n", SdpError::NoAudio),
            ("m=audio 4000 RTP/SAVP 0\r\n", SdpError::NoAudio),
            ("m=audio 4000 RTP/AVP 97\r\na=rtpmap:97 opus/16000/2\r\n", SdpError::NoAudio),
            ("m=audio 4000 RTP/AVP 0\r\na=recvonly\r\n", SdpError::NotSent),
            ("a=inactive\r\nm=audio 4000 RTP/AVP 0\r\n", SdpError::NotSent),
        ] {
            assert_eq!(codec(audio), Err(expected), "{audio}");
        }
        assert!(matches!(Offer::read("hello"), Err(SdpError::Malformed(_))));
        assert_eq!(Offer::read(&" ".repeat(65_537)).err(), Some(SdpError::TooLarge));
        assert_eq!(Offer::read(&offer(&"m=audio 0 RTP/AVP 0\r\n".repeat(33))).err(), Some(SdpError::TooLarge));
    }

    #[test]
    fn types_that_are_told_often_are_as_those_that_are_told_once() {
        let types = format!("{} 0", " 1".repeat(10_000));
        let maps = "a=rtpmap:2 x/1\r\n".repeat(2_500);
        let offer = Offer::read(&offer(&format!("m=audio 4000 RTP/AVP{types}\r\n{maps}"))).expect("it has one");
        assert_eq!(offer.settings().payloads.codec, Codec::Pcmu);
    }

    proptest! {
        #[test]
        fn no_text_brings_a_panic(text in ".{0,300}", at in 0..PHONE.len(), byte in any::<u8>()) {
            let mut changed = PHONE.as_bytes().to_vec();
            changed[at] = byte;
            for text in [text, String::from_utf8_lossy(&changed).into_owned()] {
                if let Ok(offer) = Offer::read(&text) {
                    prop_assert!(Offer::read(&offer.answer(([127, 0, 0, 1], 2).into())).is_err());
                }
            }
        }
    }
}
