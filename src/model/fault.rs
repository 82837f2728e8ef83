//! Fault: an inner failure with its causes. A client sees `server_error` or `temporarily_unavailable`.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::protocol::error::{ErrorCode, OAuthError};

/// Something we rely on failed.
#[derive(Clone, Debug)]
pub struct Fault {
    kind: FaultKind,
    context: String,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// Whether trying again may help.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum FaultKind {
    /// A store or peer is away or overloaded: 503, try again.
    Unavailable,
    /// Our own mistake or damaged data: 500.
    Internal,
}

impl Fault {
    /// A dependency is away or overloaded; `context` says what was being done.
    pub fn unavailable(context: impl Into<String>) -> Self {
        Self { kind: FaultKind::Unavailable, context: context.into(), source: None }
    }

    /// Something that cannot be happened; `context` says what was being done.
    pub fn internal(context: impl Into<String>) -> Self {
        Self { kind: FaultKind::Internal, context: context.into(), source: None }
    }

    /// Adds the cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Whether trying again may help.
    pub const fn kind(&self) -> FaultKind {
        self.kind
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.context)
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

impl From<Fault> for OAuthError {
    fn from(fault: Fault) -> Self {
        match fault.kind {
            FaultKind::Unavailable => Self::new(
                ErrorCode::TemporarilyUnavailable,
                "the server cannot do this at the moment; try again in a few seconds",
            ),
            FaultKind::Internal => Self::server_error("the server met an unexpected condition; the log has the cause"),
        }
        .caused_by(fault)
    }
}
