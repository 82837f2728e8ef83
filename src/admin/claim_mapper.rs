//! Claim mappers: what operators tell apps of people.
//!
//! S-147, S-148.

use super::{AdminError, Administration, Refusal, Thing, settle};
use crate::edge::store::Beside;
use crate::model::claim_mapper::ClaimMapper;
use crate::model::directory::Directory;
use crate::model::event::EventName;
use crate::model::id::{ClaimMapperId, ClientId};

/// The claim mapper that an operator names by its id, or by its claim when only one tells it.
///
/// # Errors
/// [`Refusal::Unknown`].
pub fn named<'d>(directory: &'d Directory, name: &str) -> Result<(ClaimMapperId, &'d ClaimMapper), Refusal> {
    let id: Option<ClaimMapperId> = name.parse().ok();
    let own = || directory.mappers().filter(|mapper| mapper.id.is_some());
    let by_id = own().find(|mapper| id.is_some() && mapper.id == id);
    let mut telling = own().filter(|mapper| mapper.claim == name);
    let by_claim = telling.next().filter(|_| telling.next().is_none());
    let found = by_id.or(by_claim).and_then(|mapper| mapper.id.map(|id| (id, mapper)));
    found.ok_or_else(|| Refusal::Unknown { what: Thing::ClaimMapper, name: name.to_owned() })
}

impl Administration {
    /// Makes a claim mapper.
    ///
    /// # Errors
    /// When it cannot be ([`ClaimMapper::check`]), when one tells this claim by this scope and for this client, or when the client is
    /// not there.
    pub async fn create_claim_mapper(&self, new: ClaimMapper) -> Result<ClaimMapper, AdminError> {
        let id = ClaimMapperId::new(self.now(), self.edges.random.bytes());
        let mapper = ClaimMapper { id: Some(id), ..new };
        mapper.check().map_err(|error| Refusal::malformed("claim", error))?;
        let told = self.told_of_mapper(EventName::ClaimMapperCreated, (id, &mapper));
        let client = mapper.client.as_ref().map(ClientId::as_str).unwrap_or_default();
        let change = self.edges.store.create_claim_mapper(id, &mapper, told).await?;
        settle(change, Thing::ClaimMapper, (Thing::Client, client))?;
        Ok(mapper)
    }

    /// Changes what a claim mapper tells and where; scope, client and claim stay as they were `before`.
    ///
    /// # Errors
    /// When it cannot be; when it was changed meanwhile.
    pub async fn change_claim_mapper(
        &self,
        (id, before): (ClaimMapperId, &ClaimMapper),
        after: ClaimMapper,
    ) -> Result<ClaimMapper, AdminError> {
        after.check().map_err(|error| Refusal::malformed("claim", error))?;
        let told = self.told_of_mapper(EventName::ClaimMapperChanged, (id, &after));
        let change = self.edges.store.update_claim_mapper(id, (before, &after), told).await?;
        settle(change, Thing::ClaimMapper, (Thing::ClaimMapper, &before.claim))?;
        Ok(after)
    }

    /// Deletes a claim mapper; what every server begins with tells its claim again.
    ///
    /// # Errors
    /// When it is gone already.
    pub async fn delete_claim_mapper(&self, (id, mapper): (ClaimMapperId, &ClaimMapper)) -> Result<(), AdminError> {
        let told = self.told_of_mapper(EventName::ClaimMapperDeleted, (id, mapper));
        let change = self.edges.store.delete_claim_mapper(id, told).await?;
        settle(change, Thing::ClaimMapper, (Thing::ClaimMapper, &mapper.claim)).map(|_| ())
    }

    fn told_of_mapper(&self, name: EventName, (id, mapper): (ClaimMapperId, &ClaimMapper)) -> Beside {
        let mut beside = self.told(name, &[("claim_mapper", &id.to_string()), ("name", &mapper.claim)]);
        for event in &mut beside.events {
            event.client.clone_from(&mapper.client);
        }
        beside
    }
}
