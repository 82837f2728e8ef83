//! What a development server tells about itself: one JSON line for a harness, a banner for a person.

use std::fmt;
use std::path::Path;

use serde::Serialize;

use crate::protocol::client_metadata::GrantType;
use crate::protocol::secret::Secret;

/// The facts of a running development server, as `dev --json` prints them.
#[derive(Clone, Debug, Serialize)]
pub struct Facts {
    /// The issuer.
    pub issuer: String,
    /// The demo app.
    pub demo: String,
    /// The page that shows what was sent.
    pub mailbox: String,
    /// The same as a JSON list.
    pub messages: String,
    /// Health and metrics.
    pub operations: String,
    /// Where the admin begins.
    pub admin_link: String,
    /// Who can sign in.
    pub users: Vec<UserFacts>,
    /// The registered clients.
    pub clients: Vec<ClientFacts>,
}

/// A seeded person.
#[derive(Clone, Debug, Serialize)]
pub struct UserFacts {
    /// What they type.
    pub username: String,
    /// Their address, which they may type too.
    pub email: String,
    /// Generated for this data folder.
    #[serde(serialize_with = "in_clear")]
    pub password: Secret,
}

/// A seeded client.
#[derive(Clone, Debug, Serialize)]
pub struct ClientFacts {
    /// The name in this list.
    pub name: String,
    /// Its id.
    pub client_id: String,
    /// Generated for this data folder; none for a public client.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "in_clear_if_any")]
    pub client_secret: Option<Secret>,
    /// Where its answers may go.
    pub redirect_uris: Vec<String>,
    /// What it may use.
    pub grant_types: Vec<GrantType>,
}

/// Where the parts of a development server answer.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// The issuer, without a slash at its end.
    pub issuer: String,
    /// The origin of the demo app.
    pub demo: String,
    /// The origin of the operations listener.
    pub operations: String,
}

impl Facts {
    /// The facts of a server at `addresses` with these people and clients.
    pub fn new(addresses: &Addresses, users: Vec<UserFacts>, clients: Vec<ClientFacts>) -> Self {
        let issuer = &addresses.issuer;
        Self {
            issuer: issuer.clone(),
            demo: addresses.demo.clone(),
            mailbox: format!("{issuer}/dev/mail"),
            messages: format!("{issuer}/dev/messages"),
            operations: addresses.operations.clone(),
            admin_link: format!("{issuer}/admin"),
            users,
            clients,
        }
    }

    /// One line of JSON.
    #[expect(clippy::missing_panics_doc, reason = "strings and lists always serialize")]
    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("strings and lists serialize")
    }

    /// The lines a person reads after start; `kept` is the folder that outlives the server.
    pub const fn banner<'a>(&'a self, kept: Option<&'a Path>) -> Banner<'a> {
        Banner { facts: self, kept }
    }
}

/// Prints [`Facts`] for a person.
#[derive(Copy, Clone, Debug)]
pub struct Banner<'a> {
    facts: &'a Facts,
    kept: Option<&'a Path>,
}

impl fmt::Display for Banner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = self.facts;
        writeln!(f, "Symbolon, for development only: whoever uses this machine can sign in as anybody.")?;
        writeln!(f)?;
        writeln!(f, "  demo app   {}   begin here: three clicks to be signed in", facts.demo)?;
        writeln!(f, "  mailbox    {}   whatever was sent", facts.mailbox)?;
        writeln!(f, "  admin      {}   works once", facts.admin_link)?;
        writeln!(f, "  issuer     {}   what your own app is told", facts.issuer)?;
        let width = facts.users.iter().map(|user| user.email.len()).max().unwrap_or_default();
        for (index, user) in facts.users.iter().enumerate() {
            let label = if index == 0 { "people" } else { "" };
            writeln!(f, "  {label:<9}  {:<width$}   {}", user.email, user.password.expose())?;
        }
        match self.kept {
            Some(folder) => writeln!(f, "  data       {}   secrets of the clients: dev.json", folder.display())?,
            None => writeln!(f, "  data       nothing is kept")?,
        }
        writeln!(f)?;
        write!(f, "Ctrl+C stops it. README.md shows how to connect your own app.")
    }
}

/// Development secrets are printed on purpose: there is no other way to learn them.
fn in_clear<S: serde::Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

#[expect(clippy::ref_option, reason = "serde hands over the field as it stands")]
fn in_clear_if_any<S: serde::Serializer>(secret: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => in_clear(secret, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        let addresses = Addresses {
            issuer: "http://localhost:8080".to_owned(),
            demo: "http://localhost:8090".to_owned(),
            operations: "http://127.0.0.1:9090".to_owned(),
        };
        let alice = UserFacts {
            username: "alice".to_owned(),
            email: "alice@example.com".to_owned(),
            password: Secret::from("pass-word"),
        };
        let client = |name: &str, secret: Option<&str>| ClientFacts {
            name: name.to_owned(),
            client_id: name.to_owned(),
            client_secret: secret.map(Secret::from),
            redirect_uris: Vec::new(),
            grant_types: vec![GrantType::ClientCredentials],
        };
        Facts::new(&addresses, vec![alice], vec![client("demo-api", Some("s3cret")), client("demo-spa", None)])
    }

    #[test]
    fn a_harness_reads_one_line() {
        insta::assert_snapshot!(facts().json(), @r#"{"issuer":"http://localhost:8080","demo":"http://localhost:8090","mailbox":"http://localhost:8080/dev/mail","messages":"http://localhost:8080/dev/messages","operations":"http://127.0.0.1:9090","admin_link":"http://localhost:8080/admin","users":[{"username":"alice","email":"alice@example.com","password":"pass-word"}],"clients":[{"name":"demo-api","client_id":"demo-api","client_secret":"s3cret","redirect_uris":[],"grant_types":["client_credentials"]},{"name":"demo-spa","client_id":"demo-spa","redirect_uris":[],"grant_types":["client_credentials"]}]}"#);
    }

    #[test]
    fn a_person_reads_where_to_begin_and_what_this_is_not() {
        insta::assert_snapshot!(facts().banner(Some(Path::new("/home/a/dev"))).to_string(), @r"
        Symbolon, for development only: whoever uses this machine can sign in as anybody.

          demo app   http://localhost:8090   begin here: three clicks to be signed in
          mailbox    http://localhost:8080/dev/mail   whatever was sent
          admin      http://localhost:8080/admin   works once
          issuer     http://localhost:8080   what your own app is told
          people     alice@example.com   pass-word
          data       /home/a/dev   secrets of the clients: dev.json

        Ctrl+C stops it. README.md shows how to connect your own app.
        ");
        assert!(facts().banner(None).to_string().contains("nothing is kept"));
    }

    #[test]
    fn secrets_stay_out_of_debug() {
        let debug = format!("{:?}", facts());
        assert!(!debug.contains("s3cret") && !debug.contains("pass-word"), "{debug}");
    }
}
