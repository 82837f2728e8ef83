//! An app as lists of the API name it.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::web::Web;
use crate::model::fault::Fault;
use crate::model::id::ClientId;

/// An app.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AppView {
    /// Its `client_id`.
    pub client_id: String,
    /// Its name; null when it is gone.
    pub name: Option<String>,
}

/// The app called `id`, if there is one named.
///
/// # Errors
/// A fault of the store.
pub async fn app(web: &Web, id: Option<&ClientId>) -> Result<Option<AppView>, Fault> {
    let Some(id) = id else { return Ok(None) };
    let client = web.provider.edges.store.client(id).await?;
    let name = client.map(|client| client.display_name().to_owned());
    Ok(Some(AppView { client_id: id.to_string(), name }))
}
