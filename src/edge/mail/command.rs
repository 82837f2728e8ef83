//! Mail to a program of the operator (S-134): it reads one message as JSON from its standard input.

use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::edge::mail::webhook::told;
use crate::edge::mail::{Mail, Mailer};
use crate::edge::undelivered::Undelivered;

/// The way to a program.
pub struct CommandMailer {
    /// The program and its arguments. No shell stands between, and nothing of the message is an argument.
    pub program: Vec<String>,
    /// How long it may take.
    pub timeout: Duration,
}

/// Exit codes of `sysexits.h` that say that the message itself is wrong: data, user and host.
const LASTING: [i32; 3] = [65, 67, 68];

#[async_trait]
impl Mailer for CommandMailer {
    fn name(&self) -> &'static str {
        "command"
    }

    async fn send(&self, mail: &Mail) -> Result<(), Undelivered> {
        let ran = tokio::time::timeout(self.timeout, self.run(told(mail).to_string()));
        ran.await.unwrap_or_else(|_elapsed| Err(Undelivered::passing("the program took too long and was ended")))
    }

    /// Whether the program is there, where its path says so.
    async fn probe(&self) -> Option<Result<(), Undelivered>> {
        let program = self.program.first().filter(|program| program.contains('/'))?;
        let is_there = tokio::fs::try_exists(program).await.unwrap_or(false);
        Some(if is_there { Ok(()) } else { Err(Undelivered::passing(format!("there is no program {program}"))) })
    }
}

impl CommandMailer {
    async fn run(&self, message: String) -> Result<(), Undelivered> {
        let Some((program, arguments)) = self.program.split_first() else {
            return Err(Undelivered::passing("mail.command.program is empty"));
        };
        let failed =
            |error: std::io::Error| Undelivered::passing(format!("the program {program} cannot be run: {error}"));
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that does not read to the end tells by its exit code what became of the message.
            let _ = stdin.write_all(message.as_bytes()).await;
            let _ = stdin.shutdown().await;
        }
        let status = child.wait().await.map_err(failed)?;
        match status.code() {
            Some(0) => Ok(()),
            Some(code) if LASTING.contains(&code) => {
                Err(Undelivered::lasting(format!("the program refused it with exit code {code}")))
            }
            Some(code) => Err(Undelivered::passing(format!("the program ended with exit code {code}"))),
            None => Err(Undelivered::passing("the program was ended by a signal")),
        }
    }
}
