//! Mail into a folder, a file for each: to look at, or for another program to take.

use std::path::PathBuf;

use async_trait::async_trait;

use crate::edge::mail::mime::{Envelope, compose};
use crate::edge::mail::{Mail, Mailer};
use crate::edge::message_file;
use crate::edge::undelivered::Undelivered;

/// The way into a folder.
pub struct FileMailer {
    /// The folder, made when it is not there.
    pub folder: PathBuf,
    /// Whom mail comes from.
    pub envelope: Envelope,
}

#[async_trait]
impl Mailer for FileMailer {
    fn name(&self) -> &'static str {
        "file"
    }

    async fn send(&self, mail: &Mail) -> Result<(), Undelivered> {
        let bytes = compose(mail, &self.envelope)?.formatted();
        message_file::write(self.folder.clone(), format!("{}.eml", mail.job), bytes).await
    }
}
