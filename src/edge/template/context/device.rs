//! What the pages of devices show that wait for a person: RFC 8628 §3.3, and sign-in by a picture.

use serde::Serialize;

use super::{Account, Client, ConsentScope};

/// `page/sign_in_qr.html`: the ids `qr-picture`, `qr-begin`, `qr-check`.
#[derive(Clone, Serialize)]
pub struct SignInQr {
    /// Where a new picture is asked for.
    pub action: String,
    /// The token of the form.
    pub csrf: String,
    /// The end of a text key `qr-…`: `start`, `pending`, `seen`, `denied` or `over`.
    pub state: String,
    /// The picture, while it waits.
    pub picture: Option<QrPicture>,
    /// Where the script of the page asks how far it is.
    pub state_uri: String,
    /// The page itself, for who has no script.
    pub again_uri: String,
    /// Where one signs in otherwise.
    pub sign_in_uri: String,
    /// The app that asks, when one does.
    pub client: Option<Client>,
    /// A way back to the app.
    pub back_uri: Option<String>,
}

/// A picture for a phone, and the same for who types.
#[derive(Clone, Serialize)]
pub struct QrPicture {
    /// An SVG element that we made.
    pub picture: String,
    /// The page on which the code is typed.
    pub page_uri: String,
    /// The code.
    pub user_code: String,
    /// What the phone shows too.
    pub number: String,
}

/// `page/device.html`: the ids `user-code`, `device-submit`.
#[derive(Clone, Serialize)]
pub struct DeviceEnter {
    /// Where the form posts to.
    pub action: String,
    /// The token of the form.
    pub csrf: String,
    /// What the field holds.
    pub user_code: String,
    /// The end of a text key `device-error-…`.
    pub error: Option<String>,
}

/// `page/device_confirm.html`: the ids `device-accept`, `device-deny`.
#[derive(Clone, Serialize)]
pub struct DeviceConfirm {
    /// Where the form posts to.
    pub action: String,
    /// The token of the form.
    pub csrf: String,
    /// As the device shows it.
    pub user_code: String,
    /// Whether the person is signed in there, rather than an app let in.
    pub is_sign_in: bool,
    /// What the other screen shows too.
    pub number: Option<String>,
    /// The app, if it is for one.
    pub client: Option<Client>,
    /// Who is asked.
    pub account: Account,
    /// What the app asks for.
    pub scopes: Vec<ConsentScope>,
    /// Whether it asks to stay connected.
    pub offline_access: bool,
    /// What the device calls itself, in short; empty when that is not known.
    pub device: String,
    /// Where it is; empty when that is not known.
    pub address: String,
    /// Whether that is another place than this browser's.
    pub is_elsewhere: bool,
    /// In Unix seconds.
    pub began: i64,
}

/// `page/device_done.html`
#[derive(Clone, Debug, Serialize)]
pub struct DeviceDone {
    /// The end of the text keys `device-…`: `approved` or `denied`.
    pub outcome: String,
    /// Where a person sees who is signed in, if there is such a page.
    pub sessions_uri: Option<String>,
}
