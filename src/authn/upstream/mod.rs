//! Servers elsewhere that vouch for a person: whose account an identity there opens.
//!
//! OIDC Core §5.7 (`iss` and `sub` name a person, an address does not); PROTOCOL A20, A22; S-063. An identity opens the account that it
//! is connected to. One that is new is connected at once only where the operator trusts that server for the address's domain and lets
//! it, and the address is proven on both sides; else whoever comes proves the account first, in the same browser ([`pending`]).

pub mod pending;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;

use crate::authn::{Answer, Attempt, Factor, Method, Refusal};
use crate::edge::Edges;
use crate::edge::store::{Beside, Creation, Give};
use crate::model::authentication::{Amr, Authentication, Elsewhere};
use crate::model::event::{Actor, EventName};
use crate::model::fault::Fault;
use crate::model::id::{GroupId, LinkId, UserId};
use crate::model::identifier::Email;
use crate::model::identity_provider::IdentityProvider;
use crate::model::upstream_link::{UpstreamIdentity, UpstreamLink};
use crate::model::user::{IdentifierKind, LookupName, User};
use crate::protocol::secret::Secret;

/// The name of the method.
pub const NAME: &str = "upstream";

/// Brings what another server vouches for into the flow of every sign-in: policy asks for more where it wants more.
pub struct Upstream;

#[async_trait]
impl Method for Upstream {
    fn name(&self) -> &'static str {
        NAME
    }

    fn factor(&self) -> Factor {
        Factor::Knowledge
    }

    /// Nobody types it: it comes from a server that was asked.
    fn read(&self, _: Option<&str>, value: Secret) -> Answer {
        Answer::Link(value)
    }

    async fn finish(&self, _: &Attempt, answer: &Answer) -> Result<Authentication, Refusal> {
        match answer {
            Answer::Vouched(authentication) => Ok(authentication.clone()),
            _ => Err(Refusal::Wrong),
        }
    }
}

/// Whose account an identity opens.
#[derive(Clone, Debug)]
pub enum Resolution {
    /// The one that it is connected to.
    Known(Arc<User>, UpstreamLink),
    /// This one, to which it is connected now.
    Connect(Arc<User>),
    /// This one, once the person has proven that it is theirs.
    Prove(Arc<User>),
    /// A new one, which has the proven address.
    Create,
    /// A new one, for which an address has to be proven.
    Complete,
    /// None: nobody makes an account by it.
    Closed,
}

/// What is known of the address that a new identity comes with.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "the columns of a table")]
struct Situation {
    /// The provider says that it is proven.
    verified: bool,
    /// The provider is trusted for its domain.
    trusted: bool,
    /// Somebody here has proven that it is theirs.
    owned: bool,
    /// The provider may connect at once.
    auto_link: bool,
    /// People may make accounts by the provider.
    opens: bool,
}

/// What becomes of a new identity.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum Verdict {
    Connect,
    Prove,
    Create,
    Complete,
    Closed,
}

/// The table of S-063. An address that is not proven there says nothing: not even that it has an owner here.
const fn decide(situation: Situation) -> Verdict {
    match situation {
        Situation { verified: true, trusted: true, owned: true, auto_link: true, .. } => Verdict::Connect,
        Situation { verified: true, owned: true, .. } => Verdict::Prove,
        Situation { opens: false, .. } => Verdict::Closed,
        Situation { verified: true, trusted: true, owned: false, .. } => Verdict::Create,
        _ => Verdict::Complete,
    }
}

/// Decides whose account `identity` opens; `opens`: people may make accounts here at all.
///
/// # Errors
/// A fault of the store.
pub async fn resolve(
    edges: &Edges,
    (provider, identity): (&IdentityProvider, &UpstreamIdentity),
    opens: bool,
) -> Result<Resolution, Fault> {
    let store = &edges.store;
    if let Some(link) = store.upstream_link(&identity.issuer, &identity.subject).await?
        && let Some(user) = store.user(link.user).await?
    {
        return Ok(Resolution::Known(user, link));
    }
    let email = identity.email.as_deref().and_then(Email::parse);
    let owner = match email.as_ref().and_then(|email| LookupName::parse(email.as_str())) {
        Some(name) => store.user_by_name(&name).await?.filter(|user| user.owns(&name)),
        None => None,
    };
    // Names that are looked up as one may be two mailboxes; that capitals make none is what everybody expects.
    let is_the_same = |user: &User| {
        let mut own = user.of_kind(IdentifierKind::Email).filter(|own| own.verified_at.is_some());
        email.as_ref().is_some_and(|email| own.any(|own| own.value.eq_ignore_ascii_case(email.as_str())))
    };
    let trust = &provider.settings.trust;
    let situation = Situation {
        verified: identity.email_verified,
        trusted: email.as_ref().is_some_and(|email| trust.covers(email)),
        owned: owner.is_some(),
        auto_link: trust.auto_link && owner.as_deref().is_some_and(is_the_same),
        opens: opens && trust.sign_up,
    };
    Ok(match (decide(situation), owner) {
        (Verdict::Connect, Some(owner)) => Resolution::Connect(owner),
        (Verdict::Prove, Some(owner)) => Resolution::Prove(owner),
        (Verdict::Create, _) => Resolution::Create,
        (Verdict::Complete, _) => Resolution::Complete,
        (Verdict::Connect | Verdict::Prove | Verdict::Closed, _) => Resolution::Closed,
    })
}

/// That `provider` vouches for `user` at this moment, with what it says of the sign-in there; the groups that follow from it are theirs.
///
/// # Errors
/// A fault of the store.
pub async fn vouched(
    edges: &Edges,
    (provider, identity): (&IdentityProvider, &UpstreamIdentity),
    user: &User,
) -> Result<Authentication, Fault> {
    follow_groups(edges, (provider, identity), user.id).await?;
    let epoch = edges.store.auth_epoch(user.id).await?.unwrap_or(user.auth_epoch);
    let proven = Authentication::new((user.id, epoch), edges.clock.now(), vec![Amr::Fed]);
    Ok(proven.said_elsewhere(Elsewhere {
        provider: provider.slug.clone(),
        issuer: identity.issuer.clone(),
        subject: identity.subject.clone(),
        sid: identity.sid.clone(),
        acr: identity.acr.clone(),
        amr: identity.amr.clone(),
    }))
}

/// Has `user` be in the groups that follow from those there, and in no other that followed before.
///
/// # Errors
/// A fault of the store.
pub async fn follow_groups(
    edges: &Edges,
    (provider, identity): (&IdentityProvider, &UpstreamIdentity),
    user: UserId,
) -> Result<(), Fault> {
    let mapping = &provider.settings.groups;
    let groups = match (&mapping.claim, &identity.groups) {
        (None, _) => BTreeSet::new(),
        (Some(_), Some(there)) => mapping.of(there),
        // Nothing was said of them: what was said before stands.
        (Some(_), None) => return Ok(()),
    };
    let (directory, slug) = (edges.store.directory().await?, provider.slug.to_string());
    let about = edges.clone();
    let told = move |give, group: GroupId| {
        let name = match give {
            Give::To => EventName::GroupMemberAdded,
            Give::From => EventName::GroupMemberRemoved,
        };
        let event = about.event(name).concerning(user).by(Actor::Server).telling("group", group.to_string());
        let named = directory.group(group).map(|group| group.name.to_string()).unwrap_or_default();
        Beside::event(event.telling("name", named).telling("provider", slug.as_str()))
    };
    edges.store.map_groups((user, provider.id), groups, edges.clock.now(), told).await.map(|_| ())
}

/// Connects an identity; false when it is somebody else's.
///
/// # Errors
/// A fault of the store.
pub async fn connect(edges: &Edges, link: &UpstreamLink, beside: Beside) -> Result<bool, Fault> {
    if edges.store.link_identity(link, beside).await? == Creation::Created {
        return Ok(true);
    }
    let standing = edges.store.upstream_link(&link.issuer, &link.subject).await?;
    Ok(standing.is_some_and(|standing| standing.user == link.user))
}

/// The connection of `identity` to `user`.
pub fn link(edges: &Edges, (provider, identity): (&IdentityProvider, &UpstreamIdentity), user: &User) -> UpstreamLink {
    let now = edges.clock.now();
    UpstreamLink {
        id: LinkId::new(now, edges.random.bytes()),
        provider: provider.id,
        issuer: identity.issuer.clone(),
        subject: identity.subject.clone(),
        user: user.id,
        label: identity.label.clone(),
        linked_at: now,
        last_used_at: Some(now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PROTOCOL A20
    #[test]
    fn an_address_connects_only_where_everything_speaks_for_it() {
        let flags = [false, true];
        for verified in flags {
            for trusted in flags {
                for owned in flags {
                    for auto_link in flags {
                        for opens in flags {
                            let verdict = decide(Situation { verified, trusted, owned, auto_link, opens });
                            if verdict == Verdict::Connect {
                                assert!(verified && trusted && owned && auto_link);
                            }
                            if verdict == Verdict::Create {
                                assert!(verified && trusted && !owned && opens);
                            }
                            if !verified {
                                let without_owner = Situation { verified, trusted, owned: false, auto_link, opens };
                                assert_eq!(verdict, decide(without_owner), "an owner shows");
                            }
                            if owned && verified {
                                assert!(matches!(verdict, Verdict::Connect | Verdict::Prove));
                            }
                        }
                    }
                }
            }
        }
    }
}
