//! What a backend JWT says, written and signed.

use super::{
    Application, Claims, Policy,
    cache::{Caller, Inputs},
    claims::{push_member, push_members},
    compatibility::Compatibility,
    lifetime::Lifetime,
    minted::Minted,
    settings::Settings,
};
use crate::{
    VerifiedToken,
    json::push_string,
    refusal::{Refusal, RefusalReason},
};
use http::HeaderValue;
use std::sync::{Arc, atomic::AtomicBool};
use tower_jwks::{ConfigError, SigningKey, UnixTime};

/// Room for the claims of most.
const USUAL_BYTES: usize = 2048;

impl Settings {
    /// A backend JWT of these inputs, by this key. `fixed` is what [`fixed`] gives.
    pub(super) fn sign(
        &self,
        fixed: &str,
        inputs: &Inputs<'_>,
        key: &Arc<SigningKey>,
        now: UnixTime,
    ) -> Result<Minted, Refusal> {
        let policy = &self.policy;
        let source_end = match inputs.caller {
            Caller::Token(token) => Some(token.expires_at()),
            Caller::Without(_) => None,
        };
        let Lifetime {
            expires_at,
            renew_at,
            usable_until,
        } = Lifetime::new(
            now,
            self.ttl,
            self.remaining_life,
            source_end,
            key.not_after(),
        )?;

        let mut json = String::with_capacity(USUAL_BYTES);
        json.push('{');
        push_member(&mut json, "iat", &now.to_string());
        push_member(&mut json, "exp", &expires_at.to_string());
        if policy.not_before {
            push_member(&mut json, "nbf", &now.to_string());
        }
        push_text(&mut json, "jti", &jti()?);
        push_members(&mut json, fixed);
        if let Some(application) = inputs.application {
            self.push_application(&mut json, application);
        }
        match inputs.caller {
            Caller::Token(token) => self.push_user(&mut json, token),
            Caller::Without(auth_type) => push_text(&mut json, "auth_type", auth_type.as_str()),
        }
        self.push_own(&mut json, inputs.claims)?;
        if let Caller::Token(token) = inputs.caller {
            self.push_copied(&mut json, token, inputs.claims);
        }
        json.push('}');

        let mut jwt = write(policy, key, json.as_bytes())?;
        if jwt.len() > policy.max_bytes {
            return Err(
                Refusal::new(RefusalReason::BackendJwtTooLong).with_detail(format!(
                    "{} bytes, of at most {}",
                    jwt.len(),
                    policy.max_bytes
                )),
            );
        }
        // It may be kept for long.
        jwt.shrink_to_fit();
        let mut value = HeaderValue::try_from(jwt).expect("base64url and dots are visible ASCII");
        value.set_sensitive(true);

        let api = self.api.as_ref().map(|api| api.name.as_str());
        crate::trace::minted(key.kid(), api, expires_at);
        Ok(Minted {
            value,
            key: Arc::downgrade(key),
            issued_at: now,
            renew_at,
            usable_until,
            renewing: AtomicBool::new(false),
        })
    }

    /// What the gateway says of a user. Without a token there is none to say it of.
    fn push_user(&self, json: &mut String, token: &VerifiedToken) {
        let policy = &self.policy;
        if let Some(subject) = token.subject() {
            push_text(json, "sub", subject);
        }
        let enduser = token.subject().filter(|_| policy.enduser);
        for (name, value) in [
            ("usertype", Some("Application_User")),
            ("enduserTenantId", Some("0")),
            ("enduser", enduser),
        ] {
            if let Some(name) = policy.dialect.name(name)
                && let Some(value) = value
            {
                push_text(json, &name, value);
            }
        }
    }

    fn push_application(&self, json: &mut String, application: &Application) {
        let policy = &self.policy;
        let application = application.fields();
        let mut push = |name: &str, value: &str| {
            if let Some(name) = policy.dialect.name(name) {
                push_text(json, &name, value);
            }
        };
        push("applicationid", &application.id);
        push("applicationUUId", &application.uuid);
        push("applicationname", &application.name);
        for (name, value) in [
            ("subscriber", &application.subscriber),
            ("applicationtier", &application.application_tier),
            ("tier", &application.tier),
        ] {
            if let Some(value) = value {
                push(name, value);
            }
        }
        if !application.attributes.is_empty()
            && let Some(name) = policy.dialect.name("applicationAttributes")
        {
            let attributes = serde_json::to_string(&application.attributes)
                .expect("a map of strings always serializes");
            push_member(json, &name, &attributes);
        }
    }

    /// The user's own claims, which may not overwrite those before them.
    fn push_own(&self, json: &mut String, claims: &Claims) -> Result<(), Refusal> {
        let Self { policy, custom, .. } = self;
        if let Some(name) = claims
            .names()
            .find(|name| policy.owns(name) || custom.has(name))
        {
            return Err(Refusal::new(RefusalReason::UnusableClaims)
                .with_detail(format!("{name:?} is claimed already")));
        }
        push_members(json, claims.json());
        Ok(())
    }

    fn push_copied(&self, json: &mut String, token: &VerifiedToken, claims: &Claims) {
        let policy = &self.policy;
        for (name, value) in token.claims_iter() {
            let taken = policy.owns(name) || self.custom.has(name) || claims.has(name);
            if !taken && value != "null" && policy.copied.includes(name) {
                push_member(json, name, value);
            }
        }
    }
}

/// The claims that are the same in every token of a minter, as JSON members.
pub(super) fn fixed(
    Settings {
        policy,
        api,
        custom,
        ..
    }: &Settings,
) -> String {
    let mut json = String::new();
    if !policy.has(Compatibility::NoIssuer) {
        push_text(&mut json, "iss", &policy.issuer);
    }
    // One audience is written by itself, as JWTs have it (RFC 7519 section 4.1.3).
    let audience = match &policy.audiences[..] {
        [] => None,
        [audience] if !policy.audience_array => Some(serde_json::to_string(audience)),
        audiences => Some(serde_json::to_string(audiences)),
    };
    if let Some(audience) = audience {
        push_member(
            &mut json,
            "aud",
            &audience.expect("strings always serialize"),
        );
    }
    let mut push = |name: &str, value: &str| {
        if let Some(name) = policy.dialect.name(name) {
            push_text(&mut json, &name, value);
        }
    };
    if let Some(api) = api {
        push("apiname", &api.name);
        push("version", &api.version);
        if let Some(context) = &api.context {
            push("apicontext", context);
        }
    }
    push(
        "keytype",
        api.as_ref().map_or("PRODUCTION", |api| &api.key_type),
    );
    push_members(&mut json, custom.json());
    json
}

/// Signs the claims, in the form that the policy asks for.
fn write(policy: &Policy, key: &SigningKey, claims: &[u8]) -> Result<String, Refusal> {
    let mut jws = key.jws(&policy.typ);
    for form in policy.compatibilities() {
        jws = match form {
            Compatibility::StandardAlphabet => jws.with_standard_alphabet(),
            Compatibility::X5t => jws
                .with_wso2_x5t()
                .map_err(|error| no_certificate(&error))?,
            Compatibility::X5tS256 => jws
                .with_wso2_x5t_s256()
                .map_err(|error| no_certificate(&error))?,
            Compatibility::NoKid => jws.without_kid(),
            Compatibility::NoIssuer => jws,
        };
    }
    Ok(jws.sign(claims)?)
}

/// The key of another time had one, or the layer had not been made.
fn no_certificate(error: &ConfigError) -> Refusal {
    Refusal::new(RefusalReason::KeysUnavailable).with_detail(error.to_string())
}

fn push_text(json: &mut String, name: &str, value: &str) {
    let mut text = String::with_capacity(value.len() + 2);
    push_string(&mut text, value);
    push_member(json, name, &text);
}

/// A UUID of random bytes (RFC 9562 section 5.4), or an error: never one that is not random.
fn jti() -> Result<String, Refusal> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| {
        Refusal::new(RefusalReason::KeysUnavailable).with_detail("the system gives no random bytes")
    })?;
    Ok(uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .to_string())
}
