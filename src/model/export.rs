//! A person's wish to be given their data.

use crate::model::id::{ExportId, UserId};
use crate::protocol::numeric_date::NumericDate;

/// A wish, until the archive is made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DataExport {
    /// The row.
    pub id: ExportId,
    /// Whose data.
    pub user: UserId,
    /// The languages the person reads, for the mail.
    pub languages: Vec<String>,
    /// When it was asked for.
    pub requested_at: NumericDate,
    /// From then on nobody waits for it.
    pub expires_at: NumericDate,
}
