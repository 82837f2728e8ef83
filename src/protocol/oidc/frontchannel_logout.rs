//! What a browser opens out of sight, so that an app ends its session there.
//!
//! OpenID Connect Front-Channel Logout 1.0 §2, §3.

use crate::protocol::authorization_response::with_query;

/// The registered `uri` with `iss` and `sid`, its own query kept (§2).
pub fn logout_url(uri: &str, issuer: &str, sid: &str) -> String {
    with_query(uri, [("iss", issuer), ("sid", sid)].into_iter())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_of_the_app_is_kept() {
        let url = |uri| logout_url(uri, "https://id.example", "s-1");
        assert_eq!(url("https://app.example/out"), "https://app.example/out?iss=https%3A%2F%2Fid.example&sid=s-1");
        assert_eq!(
            url("https://app.example/out?a=b"),
            "https://app.example/out?a=b&iss=https%3A%2F%2Fid.example&sid=s-1"
        );
    }
}
