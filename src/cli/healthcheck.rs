//! `symbolon healthcheck`: asks the running server whether it is ready; for containers and service managers.

use serde_json::json;

use crate::cli::operations::ask;
use crate::cli::{Call, CommandError};

/// Asks `/readyz` at the operations address of the settings.
///
/// # Errors
/// When the server does not answer in 3 s, or says that it is not ready: exit code 1.
pub async fn run(call: &Call) -> Result<(), CommandError> {
    let address = call.settings()?.server.operations.to_string();
    let status = ask(&address, "GET", "/readyz").await?.status;
    if status != 200 {
        let reason = format!("{address} is not ready (status {status}); http://{address}/readyz?verbose tells why");
        return Err(CommandError::refused(reason));
    }
    call.output.print("ready", &json!({"ready": true, "operations": address}))
}
