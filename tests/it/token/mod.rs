//! What an app gets for a code, a refresh token, or in its own name; what tokens are good for, and until when.

mod authorization_code;
mod client_credentials;
mod device_code;
mod format;
mod introspect;
mod liveness;
mod refresh_token;
mod resource;
mod revoke;
