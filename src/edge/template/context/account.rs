//! The contexts of the pages where people make accounts and find the way back into them.

use serde::Serialize;

use super::{Captcha, Client, Connects};
use crate::edge::template::console::Console;

/// What is wrong with a field: the end of a text key `mistake-…`, and a number that it needs.
#[derive(Clone, Debug, Serialize)]
pub struct FieldMistake {
    /// The name of the field.
    pub field: String,
    /// The end of the key.
    pub code: String,
    /// The number.
    pub bound: Option<u64>,
}

/// A field for an attribute of the operator's.
#[derive(Clone, Debug, Serialize)]
pub struct AttributeField {
    /// Its name.
    pub name: String,
    /// `text`, `number`, `checkbox` or `date`.
    pub kind: String,
    /// Whether it must be filled in.
    pub required: bool,
    /// The most characters.
    pub max_length: Option<usize>,
    /// What it holds.
    pub value: String,
}

/// Something else to register by.
#[derive(Clone, Debug, Serialize)]
pub struct OtherWay {
    /// `email` or `phone`.
    pub by: String,
    /// The page for it.
    pub url: String,
}

/// `page/register.html`
#[derive(Clone, Debug, Serialize)]
pub struct Register {
    /// Where the form posts to.
    pub action: String,
    /// The token of the form.
    pub csrf: String,
    /// What is connected with the account.
    pub connects: Option<Connects>,
    /// Whether nobody goes on without a password.
    pub needs_password: bool,
    /// What people register by: `email` or `phone`.
    pub by: String,
    /// What the field for that holds.
    pub contact: String,
    /// What else they may register by.
    pub others: Vec<OtherWay>,
    /// What the username field holds; none where nobody chooses one.
    pub username: Option<String>,
    /// Whether a username must be chosen.
    pub username_required: bool,
    /// More fields.
    pub attributes: Vec<AttributeField>,
    /// What is wrong.
    pub mistakes: Vec<FieldMistake>,
    /// The end of a text key `mistake-…` about the whole form.
    pub error: Option<String>,
    /// Where people sign in who have an account.
    pub sign_in_uri: String,
    /// The app that asks, when one does.
    pub client: Option<Client>,
    /// A way back to the app.
    pub back_uri: Option<String>,
    /// What keeps programs from trying.
    pub captcha: Option<Captcha>,
}

/// `page/invitation.html`: who was asked in sets their account up.
#[derive(Clone, Debug, Serialize)]
pub struct InvitationPage {
    /// Where the form posts to.
    pub action: String,
    /// The token of the form.
    pub csrf: String,
    /// The token of the invitation.
    pub token: String,
    /// The address or number that the account will have.
    pub address: String,
    /// What the field of the given name holds.
    pub first_name: String,
    /// What the field of the family name holds.
    pub last_name: String,
    /// What the username field holds; none where nobody chooses one.
    pub username: Option<String>,
    /// Whether a username must be chosen.
    pub username_required: bool,
    /// More fields.
    pub attributes: Vec<AttributeField>,
    /// What is wrong.
    pub mistakes: Vec<FieldMistake>,
    /// The end of a text key `mistake-…` about the whole form.
    pub error: Option<String>,
    /// The app that the person is invited to.
    pub client: Option<Client>,
}

/// `page/code.html`: a code that was sent.
#[derive(Clone, Debug, Serialize)]
pub struct CodePage {
    /// The end of text keys `code-…`: what it is for.
    pub purpose: String,
    /// Where the form posts to.
    pub action: String,
    /// The token of the forms.
    pub csrf: String,
    /// Where it was sent.
    pub address: String,
    /// Whether a new password is asked for with it.
    pub asks_password: bool,
    /// Whether another username is asked for with it: the chosen one is taken.
    pub username: Option<String>,
    /// Whether it can be sent once more from here.
    pub resends: bool,
    /// What is wrong.
    pub mistakes: Vec<FieldMistake>,
    /// The end of a text key `mistake-…` about the whole form.
    pub error: Option<String>,
    /// Whether it was sent once more.
    pub resent: bool,
    /// Where to begin again.
    pub again_uri: String,
    /// The app that asks, when one does.
    pub client: Option<Client>,
    /// A way back to the app.
    pub back_uri: Option<String>,
}

/// `page/recover.html`: a forgotten password or address.
#[derive(Clone, Debug, Serialize)]
pub struct Recover {
    /// The end of text keys `recover-…`: `password` or `email`.
    pub what: String,
    /// Where the form posts to.
    pub action: String,
    /// The token of the form.
    pub csrf: String,
    /// What the field holds.
    pub login: String,
    /// Whether codes go out by text message too.
    pub by_phone: bool,
    /// What is wrong.
    pub mistakes: Vec<FieldMistake>,
    /// The end of a text key `mistake-…` about the whole form.
    pub error: Option<String>,
    /// Where people sign in.
    pub sign_in_uri: String,
    /// The other thing that may be forgotten, where that is found again here.
    pub other_uri: Option<String>,
    /// The app that asks, when one does.
    pub client: Option<Client>,
    /// A way back to the app.
    pub back_uri: Option<String>,
    /// What keeps programs from trying.
    pub captcha: Option<Captcha>,
}

/// `page/new_password.html`
#[derive(Clone, Debug, Serialize)]
pub struct NewPassword {
    /// Where the form posts to.
    pub action: String,
    /// The token of the form.
    pub csrf: String,
    /// The token of the link.
    pub token: String,
    /// What somebody else had set up and is gone.
    pub gone: Vec<Gone>,
    /// What is wrong.
    pub mistakes: Vec<FieldMistake>,
}

/// `part/gone.html`: what somebody else had set up in an account, and is gone.
#[derive(Clone, Debug, Serialize)]
pub struct Gone {
    /// The end of a text key `gone-…`.
    pub what: String,
    /// How many.
    pub count: u64,
}

/// `page/mailed_link.html`: a link of a mail; opening it changes nothing, its button does.
#[derive(Clone, Debug, Serialize)]
pub struct MailedLinkPage {
    /// The end of text keys `mailed-…`: what it is for.
    pub purpose: String,
    /// Where the form posts to.
    pub action: String,
    /// The token of the form.
    pub csrf: String,
    /// The token of the link.
    pub token: String,
}

/// `page/notice.html`: something is done, or on its way.
#[derive(Clone, Debug, Serialize)]
pub struct Notice {
    /// The end of text keys `notice-…`.
    pub key: String,
    /// Where it was sent.
    pub address: Option<String>,
    /// Lines to read.
    pub lines: Vec<String>,
    /// What somebody else had set up and is gone.
    pub gone: Vec<Gone>,
    /// The way on.
    pub next_uri: String,
    /// The end of a text key `next-…`.
    pub next: String,
    /// The app that asks, when one does.
    pub client: Option<Client>,
    /// A way back to the app.
    pub back_uri: Option<String>,
}

/// `page/profile.html`: what a person says of themselves.
#[derive(Clone, Debug, Serialize)]
pub struct ProfilePage {
    /// The frame.
    pub console: Console,
    /// Where the form posts to.
    pub action: String,
    /// Where the form of the picture posts to.
    pub picture_action: String,
    /// Whether there is a picture, wherever it stands.
    pub has_picture: bool,
    /// The fields: `name`, `first_name` and so on, with what they hold.
    pub fields: Vec<ProfileField>,
    /// More fields.
    pub attributes: Vec<AttributeField>,
    /// What is wrong.
    pub mistakes: Vec<FieldMistake>,
    /// Whether it was kept a moment ago.
    pub kept: bool,
}

/// A field of a profile.
#[derive(Clone, Debug, Serialize)]
pub struct ProfileField {
    /// The end of a text key `profile-…`, and its name.
    pub name: String,
    /// What it holds.
    pub value: String,
    /// Its `autocomplete`.
    pub autocomplete: String,
}

/// `page/contacts.html`: addresses and numbers.
#[derive(Clone, Debug, Serialize)]
pub struct ContactsPage {
    /// The frame.
    pub console: Console,
    /// Where the forms post to.
    pub action: String,
    /// The addresses.
    pub emails: Vec<Contact>,
    /// The numbers.
    pub phones: Vec<Contact>,
    /// One that waits for its code.
    pub waiting: Option<WaitingContact>,
    /// What is wrong.
    pub mistakes: Vec<FieldMistake>,
    /// The end of a text key `mistake-…` about the whole page.
    pub error: Option<String>,
    /// What the fields for new ones hold.
    pub email: String,
    /// What the fields for new ones hold.
    pub phone: String,
}

/// An address or number of a person.
#[derive(Clone, Debug, Serialize)]
pub struct Contact {
    /// What stands for it.
    pub id: String,
    /// It.
    pub value: String,
    /// Whether it is proven.
    pub verified: bool,
    /// Whether it is the primary one.
    pub primary: bool,
}

/// An address or number that waits for its code.
#[derive(Clone, Debug, Serialize)]
pub struct WaitingContact {
    /// `email` or `phone`.
    pub kind: String,
    /// What stands for it.
    pub id: String,
    /// It.
    pub value: String,
}

/// `page/my_data.html`: taking one's data along, and deleting the account.
#[derive(Clone, Debug, Serialize)]
pub struct MyData {
    /// The frame.
    pub console: Console,
    /// Where the forms post to.
    pub action: String,
    /// How many days a deletion can be taken back.
    pub grace_days: u64,
    /// Whether an export was asked for a moment ago.
    pub asked: bool,
    /// The end of a text key `mistake-…`.
    pub error: Option<String>,
}
