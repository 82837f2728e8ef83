//! What stories are told with: a server in this process, a world whose clock and chance are given, and its people.
//!
//! A story begins with [`TestServer::start`]; a [`Browser`] keeps cookies and fills in forms, a [`RelyingParty`] starts,
//! redeems and verifies. To add a person of another kind: a file here with what they can do, in the words of the story.

pub(crate) mod answer;
pub(crate) mod browser;
pub(crate) mod clients;
pub(crate) mod described;
pub(crate) mod http_sink;
pub(crate) mod inbox;
pub(crate) mod jar;
pub(crate) mod outgoing;
pub(crate) mod passkey;
pub(crate) mod relying_party;
pub(crate) mod server;
pub(crate) mod smtp_sink;
pub(crate) mod spa;
pub(crate) mod stand_in;
pub(crate) mod stand_in_graph;
pub(crate) mod tokens;
pub(crate) mod transport;
pub(crate) mod wire;
pub(crate) mod world;

pub(crate) use answer::Answer;
pub(crate) use browser::Browser;
pub(crate) use relying_party::{Exchange, RelyingParty};
pub(crate) use server::TestServer;
