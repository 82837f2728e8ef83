//! A page as somebody looks at it, within the request of an app or on its own: what its file needs to read the form and to show itself.
//!
//! To use it: `Scene::of`, then `?` on whatever may end in another page.

use axum::response::Response;

use crate::account::Asking;
use crate::edge::template::Frame;
use crate::edge::template::context::Client;
use crate::edge::template::context::account::Notice;
use crate::http::extract::visitor::Visitor;
use crate::http::page::{Place, fault_page, foreign_form, open_at};
use crate::http::web::{Web, redirect, shown, way_back};
use crate::model::fault::Fault;
use crate::oauth::interaction::Open;
use crate::protocol::params::Params;

/// The page that is shown instead.
pub type Instead = Box<Response>;

/// Who looks at a page, and where.
pub struct Scene<'a> {
    /// The server.
    pub web: &'a Web,
    /// Who.
    pub visitor: &'a Visitor,
    /// Where.
    pub place: Place,
    /// The request that waits there, if one does.
    pub open: Option<Open>,
}

impl<'a> Scene<'a> {
    /// The page within the request that waits at `place`, if that names one.
    ///
    /// # Errors
    /// The page that says why the request is not there.
    pub async fn of(web: &'a Web, visitor: &'a Visitor, place: Place) -> Result<Self, Instead> {
        let open = open_at(web, visitor, &place).await?;
        Ok(Self { web, visitor, place, open })
    }

    /// Refuses a form that is not of the page `path`, shown to this browser for `purpose`.
    ///
    /// # Errors
    /// The page that says so.
    pub fn check(&self, (purpose, path): (&str, &str), form: &Params) -> Result<(), Instead> {
        let Self { web, visitor, place, .. } = self;
        web.csrf
            .check(&visitor.headers, visitor.flow.as_ref(), purpose, form.get("csrf"))
            .map_err(|error| Box::new(foreign_form(web, visitor, error, place.path(web, path))))
    }

    /// Who asks, for the app and within its request.
    pub fn asking(&self) -> Asking {
        Asking {
            flow: self.place.flow.clone(),
            client: self.open.as_ref().map(|open| open.client.id.clone()),
            ..self.visitor.asking()
        }
    }

    /// A page for an inner failure.
    pub fn fault(&self, fault: Fault) -> Instead {
        Box::new(fault_page(self.web, self.visitor, fault))
    }

    /// The path of the page `path` in this place.
    pub fn path(&self, path: &str) -> String {
        self.place.path(self.web, path)
    }

    /// [`Scene::path`] with more parameters.
    pub fn path_with(&self, path: &str, more: &[(&str, &str)]) -> String {
        self.place.path_with(self.web, path, more)
    }

    /// On to the page `path`.
    pub fn redirect(&self, path: &str) -> Response {
        redirect(&self.path(path))
    }

    /// The app that asks, as pages show it.
    pub fn client(&self) -> Option<Client> {
        self.open.as_ref().map(|open| shown(&open.client, open.interaction.request.return_path.redirect_uri()))
    }

    /// The way back to the app.
    pub fn back_uri(&self) -> Option<String> {
        let client = &self.open.as_ref()?.client;
        way_back(client, self.web.provider.issuer.as_str()).map(|back| back.uri)
    }

    /// The sign-in page, for whoever has an account after all.
    pub fn sign_in_uri(&self) -> String {
        self.path_with("/sign-in", &[("other", "1")])
    }

    /// What every page needs, as the request of the app wishes it.
    pub fn frame(&self) -> Frame {
        let request = self.open.as_ref().map(|open| &open.interaction.request);
        let locales = request.map(|request| request.ui_locales.as_slice()).unwrap_or_default();
        let display = request.map(|request| request.display).unwrap_or_default();
        self.web.pages.frame(self.visitor.id, &self.visitor.headers, locales).shown_as(display)
    }

    /// That something is done, and the way on to the sign-in.
    pub fn notice(&self, key: &str, (address, lines): (Option<&str>, Vec<String>)) -> Response {
        let context = Notice {
            key: key.to_owned(),
            address: address.map(str::to_owned),
            lines,
            gone: Vec::new(),
            next_uri: self.sign_in_uri(),
            next: "sign_in".to_owned(),
            client: self.client(),
            back_uri: self.back_uri(),
        };
        self.web.pages.page("page/notice.html", &self.frame(), &context)
    }
}

/// The page itself, or the one instead.
pub fn either(result: Result<Response, Instead>) -> Response {
    result.unwrap_or_else(|instead| *instead)
}
