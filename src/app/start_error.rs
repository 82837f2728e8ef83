//! Why a server does not start, and with which exit code (PROTOCOL §3).

use std::path::PathBuf;

use crate::config::ConfigError;
use crate::edge::store::StoreError;
use crate::edge::template::TemplateError;
use crate::edge::vault::MasterKeyError;
use crate::model::fault::{Fault, FaultKind};

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database.
    #[error(transparent)]
    Storage(#[from] StoreError),
    /// The database, while it was read.
    #[error("the database cannot be used")]
    Store(#[from] Fault),
    /// The master key.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// The master key is gone, and a new one would open nothing.
    #[error(
        "{} is missing, and the database {} was sealed under it; restore the key file from your backup",
        key.display(),
        database.display()
    )]
    MasterKeyLost {
        /// The key file.
        key: PathBuf,
        /// The database.
        database: PathBuf,
    },
    /// The keys in the database are sealed under another master key, or damaged.
    #[error("the keys in the database cannot be read")]
    Sealed(#[source] Fault),
    /// A key that everybody has would sign.
    #[error(
        "the signing key {0} was published, so everybody can sign with it: `symbolon key retire {0} --now` replaces it"
    )]
    PublishedKey(String),
    /// The theme.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The initial access token.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The issuer.
    #[error("the issuer is not a URL")]
    Issuer(#[from] url::ParseError),
}

impl StartError {
    /// The exit code: 2 config, 3 storage, 4 keys (PROTOCOL §3).
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Storage(_) | Self::Store(_) => 3,
            Self::MasterKey(_) | Self::MasterKeyLost { .. } | Self::Sealed(_) | Self::PublishedKey(_) => 4,
            Self::Template(_) | Self::Config(_) | Self::Issuer(_) => 2,
        }
    }

    /// What is sealed does not open; or it cannot be read at the moment.
    pub(super) fn sealed(fault: Fault) -> Self {
        match fault.kind() {
            FaultKind::Unavailable => Self::Store(fault),
            FaultKind::Internal => Self::Sealed(fault),
        }
    }
}
