//! How clients name a participant. Pure.

use serde::Deserialize;
use utoipa::ToSchema;

/// `CommunicationIdentifierModel`: one of several kinds, of which all have `rawId` as newer clients send it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Identifier {
    raw_id: Option<String>,
    communication_user: Option<User>,
    phone_number: Option<PhoneNumber>,
    microsoft_teams_user: Option<TeamsUser>,
    microsoft_teams_app: Option<TeamsApp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
struct User {
    id: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
struct PhoneNumber {
    value: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TeamsUser {
    user_id: String,
    is_anonymous: Option<bool>,
    cloud: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TeamsApp {
    app_id: String,
    cloud: Option<String>,
}

impl Identifier {
    /// Returns the participant's raw id: as it was sent, else made of what was (Microsoft's "raw id" of each kind);
    /// None where nothing says who is meant.
    pub(super) fn raw_id(self) -> Option<String> {
        let sent = self.raw_id.filter(|id| !id.is_empty());
        let made = || {
            let user = self.communication_user.map(|user| user.id);
            let phone = self.phone_number.map(|phone| format!("4:{}", phone.value));
            let teams = self.microsoft_teams_user.map(|user| {
                let prefix = match (user.is_anonymous == Some(true), cloud(user.cloud.as_deref())) {
                    (true, _) => "8:teamsvisitor:",
                    (false, Cloud::Public) => "8:orgid:",
                    (false, Cloud::Dod) => "8:dod:",
                    (false, Cloud::Gcch) => "8:gcch:",
                };
                format!("{prefix}{}", user.user_id)
            });
            let app = self.microsoft_teams_app.map(|app| {
                let prefix = match cloud(app.cloud.as_deref()) {
                    Cloud::Public => "28:orgid:",
                    Cloud::Dod => "28:dod:",
                    Cloud::Gcch => "28:gcch:",
                };
                format!("{prefix}{}", app.app_id)
            });
            user.or(phone).or(teams).or(app)
        };
        sent.or_else(made).filter(|id| !id.is_empty())
    }
}

enum Cloud {
    Public,
    Dod,
    Gcch,
}

fn cloud(said: Option<&str>) -> Cloud {
    match said.map(str::to_ascii_lowercase).as_deref() {
        Some("dod") => Cloud::Dod,
        Some("gcch") => Cloud::Gcch,
        _ => Cloud::Public,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, expected: Option<&str>) {
        let identifier: Identifier = serde_json::from_str(json).expect("an identifier");
        assert_eq!(identifier.raw_id().as_deref(), expected, "{json}");
    }

    #[test]
    fn participants_are_named_by_their_raw_id_or_by_what_makes_it() {
        check(r#"{"rawId":"8:acs:r_1","communicationUser":{"id":"8:acs:r_1"}}"#, Some("8:acs:r_1"));
        check(r#"{"communicationUser":{"id":"8:acs:r_1"}}"#, Some("8:acs:r_1"));
        check(r#"{"rawId":null,"phoneNumber":{"value":"+14255550123","isAnonymous":false}}"#, Some("4:+14255550123"));
        check(r#"{"kind":"microsoftTeamsUser","microsoftTeamsUser":{"userId":"u","cloud":"GCCH"}}"#, Some("8:gcch:u"));
        check(r#"{"microsoftTeamsUser":{"userId":"u","isAnonymous":true,"cloud":"PUBLIC"}}"#, Some("8:teamsvisitor:u"));
        check(r#"{"microsoftTeamsApp":{"appId":"a","cloud":"public"}}"#, Some("28:orgid:a"));
        check(r#"{"rawId":"28:xyz"}"#, Some("28:xyz"));
        check("{}", None);
    }
}
