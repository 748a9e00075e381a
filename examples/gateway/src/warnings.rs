//! What an API does as its conf says, and its author may not have meant.

use crate::apk_conf::{Access, Api};

/// Says it in the log, once for each time that the API is loaded or deployed.
pub(crate) fn warn(api: &Api) {
    if api.authentication.credentials.is_empty() {
        tracing::warn!(
            api = api.name,
            "authentication is disabled: everyone may call every operation"
        );
    }
    for minting in &api.policies {
        for form in minting.policy.compatibilities() {
            let field = &minting.field;
            tracing::warn!(api = api.name, field, %form, "{}", form.warning());
        }
    }
    for (index, operation) in api.operations.iter().enumerate() {
        if operation.access != Access::Open {
            continue;
        }
        for header in &api.authentication.shown {
            tracing::warn!(
                api = api.name,
                operation = format!("operations[{index}]"),
                %header,
                "no token is asked for, but what comes in the header goes on unverified"
            );
        }
    }
}
