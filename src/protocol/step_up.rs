//! What a protected resource says when the person's sign-in is too old for what is asked.
//!
//! RFC 9470 §3: the error `insufficient_user_authentication` with `max_age` or `acr_values`.

use std::time::Duration;

/// The value of `WWW-Authenticate` for a sign-in that must be at most `max_age` (whole seconds) old.
pub fn challenge(realm: &str, max_age: Duration) -> String {
    let realm = realm.replace(['"', '\\'], "");
    format!(
        "Bearer realm=\"{realm}\", error=\"insufficient_user_authentication\", \
         error_description=\"a more recent authentication is required\", max_age=\"{}\"",
        max_age.as_secs()
    )
}

/// The value of `WWW-Authenticate` for a sign-in that must reach one of `acr_values`.
pub fn more(realm: &str, acr_values: &str) -> String {
    let realm = realm.replace(['"', '\\'], "");
    format!(
        "Bearer realm=\"{realm}\", error=\"insufficient_user_authentication\", \
         error_description=\"a stronger authentication is required\", acr_values=\"{acr_values}\""
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_names_the_greatest_age() {
        assert_eq!(
            challenge("https://id.example\"", Duration::from_mins(10)),
            "Bearer realm=\"https://id.example\", error=\"insufficient_user_authentication\", \
             error_description=\"a more recent authentication is required\", max_age=\"600\""
        );
    }
}
