//! Who the user is: each way of proving it has a folder or file of its own.

pub mod password;
