//! The pages of devices that wait for a person.

use super::{Sample, alice, sample, scope, shop, stranger, totp_setup};
use crate::edge::template::context::device::{DeviceConfirm, DeviceDone, DeviceEnter, QrPicture, SignInQr};

fn waiting(state: &str) -> SignInQr {
    let picture = QrPicture {
        picture: totp_setup().picture,
        page_uri: "https://login.a-very-long-host-name.of-some-department.example.org/device".into(),
        user_code: "TDJB-MJHS".into(),
        number: "42".into(),
    };
    SignInQr {
        action: "/sign-in/qr?flow=1".into(),
        csrf: "token".into(),
        state: state.into(),
        picture: Some(picture).filter(|_| ["pending", "seen"].contains(&state)),
        state_uri: "/sign-in/qr/state".into(),
        again_uri: "/sign-in/qr?flow=1".into(),
        sign_in_uri: "/sign-in?flow=1&other=1".into(),
        client: Some(shop()),
        back_uri: Some("https://books.example.com/".into()),
    }
}

fn enter(error: Option<&str>) -> DeviceEnter {
    DeviceEnter {
        action: "/device".into(),
        csrf: "token".into(),
        user_code: error.map(|_| "TDJB-MJHS".to_owned()).unwrap_or_default(),
        error: error.map(str::to_owned),
    }
}

fn confirm() -> DeviceConfirm {
    DeviceConfirm {
        action: "/device".into(),
        csrf: "token".into(),
        user_code: "TDJB-MJHS".into(),
        is_sign_in: false,
        number: None,
        client: Some(stranger()),
        account: alice(),
        scopes: vec![scope("openid"), scope("profile"), scope("offline_access")],
        offline_access: true,
        device: "Chrome, Linux".into(),
        address: "2001:db8:1234:5678::/64".into(),
        is_elsewhere: true,
        began: 1_795_252_462,
    }
}

pub(super) fn samples() -> Vec<Sample> {
    let done = |outcome: &str| DeviceDone { outcome: outcome.into(), sessions_uri: Some("/account/sessions".into()) };
    let sign_in = DeviceConfirm {
        is_sign_in: true,
        number: Some("42".into()),
        client: None,
        scopes: vec![],
        offline_access: false,
        is_elsewhere: false,
        ..confirm()
    };
    vec![
        sample("sign_in_qr_start", "page/sign_in_qr.html", waiting("start")),
        sample("sign_in_qr", "page/sign_in_qr.html", waiting("pending")),
        sample("sign_in_qr_seen", "page/sign_in_qr.html", waiting("seen")),
        sample("sign_in_qr_denied", "page/sign_in_qr.html", waiting("denied")),
        sample("sign_in_qr_over", "page/sign_in_qr.html", waiting("over")),
        sample("device", "page/device.html", enter(None)),
        sample("device_unknown", "page/device.html", enter(Some("unknown"))),
        sample("device_too_many", "page/device.html", enter(Some("too_many"))),
        sample("device_late", "page/device.html", enter(Some("late"))),
        sample("device_confirm", "page/device_confirm.html", confirm()),
        sample("device_confirm_sign_in", "page/device_confirm.html", sign_in),
        sample("device_approved", "page/device_done.html", done("approved")),
        sample("device_denied", "page/device_done.html", done("denied")),
    ]
}
