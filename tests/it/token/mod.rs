//! What an app gets for a code, a refresh token, or in its own name.

mod authorization_code;
