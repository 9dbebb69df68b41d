//! Names of recordings, documents and calls, in the shapes that the service has. Clients take them as they are. Pure.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::Serialize;
use uuid::Uuid;

/// Longest name that is looked at.
const BYTES_MAX: usize = 512;

/// What a recording's name holds.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RecordingName {
    platform_endpoint_id: Uuid,
    resource_specific_id: Uuid,
}

/// Returns the `recordingId` of a recording of a resource.
pub fn recording_id(resource: Uuid, recording: Uuid) -> String {
    let name = RecordingName { platform_endpoint_id: resource, resource_specific_id: recording };
    BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(&name).expect("two ids are plain data"))
}

/// Reads a `recordingId`: its resource and its recording; None where it is none.
pub fn read_recording_id(text: &str) -> Option<(Uuid, Uuid)> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(Some(text).filter(|text| text.len() <= BYTES_MAX)?).ok()?;
    let name: RecordingName = serde_json::from_slice(&bytes).ok()?;
    Some((name.platform_endpoint_id, name.resource_specific_id))
}

/// Returns the `documentId` of a chunk that is kept in a region.
pub fn document_id(region: &str, document: Uuid) -> String {
    format!("0-{region}-d1-{}", document.simple())
}

/// Reads a `documentId`; None where it is none.
pub fn read_document_id(text: &str) -> Option<Uuid> {
    let hex = text.strip_prefix("0-")?.rsplit_once('-')?.1;
    Uuid::try_parse(hex).ok().filter(|_| hex.len() == 32)
}

/// Returns the `serverCallId` of a call that was given no key of its own.
pub fn server_call_id(call: Uuid) -> String {
    BASE64_STANDARD.encode(format!("https://reelgraph.invalid/api/v2/cp/conv/{}", call.simple()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_recordings_are_read_back() {
        let (resource, recording) = (Uuid::from_u128(7), Uuid::from_u128(u128::MAX / 3));
        let id = recording_id(resource, recording);
        assert!(id.starts_with("eyJQbGF0Zm9ybUVuZHBvaW50SWQiOi"), "{id}");
        assert!(!id.contains(['=', '+', '/']), "{id}");
        assert_eq!(read_recording_id(&id), Some((resource, recording)));
        for other in ["", "..", "rid1", "eyJ9", "../../etc/passwd", &format!("{id}="), &id.repeat(9)] {
            assert_eq!(read_recording_id(other), None, "{other}");
        }
    }

    #[test]
    fn names_of_documents_are_read_back() {
        let document = Uuid::from_u128(0x801b_3f3f_c462_fe8a_01e6_810c_bff7_29b8);
        let id = document_id("eus", document);
        assert_eq!(id, "0-eus-d1-801b3f3fc462fe8a01e6810cbff729b8");
        assert_eq!(read_document_id(&id), Some(document));
        for other in
            ["", "0-", "0-eus-d1-", "0-eus-d1-..", "0-eus-d1-801b3f3f-c462-fe8a-01e6-810cbff729b8", "1-eus-d1-8"]
        {
            assert_eq!(read_document_id(other), None, "{other}");
        }
    }

    #[test]
    fn names_of_calls_are_the_length_of_theirs() {
        let id = server_call_id(Uuid::from_u128(9));
        assert!(BASE64_STANDARD.decode(&id).is_ok_and(|bytes| bytes.starts_with(b"https://")));
    }
}
