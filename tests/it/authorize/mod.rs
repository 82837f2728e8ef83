//! An app sends a person: what it may ask for, what the person sees, and how the answer comes back.

mod claims;
mod hint;
mod interaction;
mod max_age;
mod prompt;
mod redirect_uri;
mod refusal;
mod response;
