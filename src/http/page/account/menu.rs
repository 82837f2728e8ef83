//! The pages of the console, as each of them leads to the others.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use super::invitation;
use crate::edge::template::console::{ConsoleLink, Menu};
use crate::http::web::Web;
use crate::model::user::User;

/// A page of the console: its name, the keys of its texts, its path.
struct Page {
    id: &'static str,
    text: &'static str,
    about: &'static str,
    path: &'static str,
}

macro_rules! pages {
    ($($id:literal at $path:expr,)*) => {
        /// The pages of the console.
        const PAGES: &[Page] = &[$(Page {
            id: $id,
            text: concat!("console-", $id),
            about: concat!("console-", $id, ".about"),
            path: $path,
        }),*];
    };
}

pages! {
    "overview" at "/account",
    "profile" at "/account/profile",
    "contacts" at "/account/contacts",
    "password" at "/account/password",
    "security" at "/account/security",
    "sessions" at "/account/sessions",
    "history" at "/account/history",
    "identities" at "/account/identities",
    "apps" at "/account/apps",
    "invitations" at invitation::PATH,
    "data" at "/account/data",
}

/// The menus that were made, by the page that shows them and whether the person may invite others: all that they differ in.
#[derive(Debug, Default)]
pub struct Menus(RwLock<BTreeMap<(&'static str, bool), Menu>>);

/// The menu of the page called `id`.
pub fn of(web: &Web, user: &User, id: &'static str) -> Menu {
    let may_invite = web.provider.accounts.settings.inviters.allow(user.role);
    let menus = web.menus.0.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(menu) = menus.get(&(id, may_invite)) {
        return menu.clone();
    }
    drop(menus);
    // What is switched off is not shown, and inviting to who may.
    let is_shown =
        |page: &&Page| page.id == id || web.has_page(page.path) && (page.path != invitation::PATH || may_invite);
    let link = |page: &Page| ConsoleLink {
        id: page.id,
        text: page.text,
        about: page.about,
        url: web.path(page.path, &[]),
        current: page.id == id,
    };
    let menu = Menu::new(&PAGES.iter().filter(is_shown).map(link).collect::<Vec<_>>());
    web.menus.0.write().unwrap_or_else(PoisonError::into_inner).insert((id, may_invite), menu.clone());
    menu
}
