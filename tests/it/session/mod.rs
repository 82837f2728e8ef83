//! Being signed in: cookies, forms, the account page, the end.

mod account;
mod cookie;
mod form;
mod link;
mod sign_in;
