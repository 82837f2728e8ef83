//! Text messages into a folder, a file for each.

use std::path::PathBuf;

use async_trait::async_trait;

use crate::edge::message_file;
use crate::edge::sms::{Sms, SmsSender};
use crate::edge::undelivered::Undelivered;

/// The way into a folder.
pub struct FileSms {
    /// The folder, made when it is not there.
    pub folder: PathBuf,
}

#[async_trait]
impl SmsSender for FileSms {
    fn name(&self) -> &'static str {
        "file"
    }

    async fn send(&self, sms: &Sms) -> Result<(), Undelivered> {
        let bytes = format!("To: {}\n\n{}\n", sms.message.to, sms.text).into_bytes();
        message_file::write(self.folder.clone(), format!("{}.txt", sms.job), bytes).await
    }
}
