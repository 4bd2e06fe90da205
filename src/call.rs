//! Whether a call worked, and what came of it where it did not.

use crate::record::Ref;

/// The error code of an event without EC2's prefixes, if it has one.
pub(crate) fn error_code(event: Ref<'_>) -> Option<&str> {
    bare(event.text(&["errorCode"])?)
}

/// A code without its prefix, if it is one.
pub(crate) fn bare(code: &str) -> Option<&str> {
    let bare = code.strip_prefix("Client.").or_else(|| code.strip_prefix("Server.")).unwrap_or(code);
    (!code.is_empty()).then_some(bare)
}

/// Whether a call did what it says.
pub(crate) fn succeeded(event: Ref<'_>) -> bool {
    failure(event).is_none()
}

/// Why a call did not do what it says: its error code, or the answer that the console had for whoever did not get in.
pub(crate) fn failure(event: Ref<'_>) -> Option<&str> {
    error_code(event).or_else(|| failed_sign_in(event))
}

/// What sign-ins and their kin (`ConsoleLogin`, `SwitchRole`, `CheckMfa`, `CredentialVerification`) say under their own
/// name, if that is that they failed.
pub(crate) fn failed_sign_in(event: Ref<'_>) -> Option<&str> {
    let name = event.text(&["eventName"]).unwrap_or_default();
    ANSWERS.iter().find_map(|place| event.text(&[place, name]).filter(|answer| is_failure(answer)))
}

/// Whether such an answer says that.
pub(crate) fn is_failure(answer: &str) -> bool {
    answer.eq_ignore_ascii_case("failure")
}

/// The fields that may hold such an answer.
pub(crate) const ANSWERS: [&str; 2] = ["responseElements", "serviceEventDetails"];
