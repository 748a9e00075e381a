//! What a backend JWT says, written and signed.

use super::{
    Application, Claims, Policy,
    cache::{Caller, Inputs},
    claim_names::folded,
    claims::{push_member, push_members, push_name},
    compatibility::Compatibility,
    lifetime::Lifetime,
    minted::Minted,
    minter::Minter,
    settings::Settings,
};
use crate::{
    VerifiedToken,
    json::push_string,
    refusal::{Refusal, RefusalReason},
};
use http::HeaderValue;
use std::{
    fmt::Write,
    sync::{Arc, atomic::AtomicBool},
};
use tower_jwks::{ConfigError, SigningKey, UnixTime};

/// Room for the claims of most.
const USUAL_BYTES: usize = 2048;

impl Minter {
    /// A backend JWT of these inputs, by this key.
    pub(super) fn sign(
        &self,
        inputs: &Inputs<'_>,
        key: &Arc<SigningKey>,
        now: UnixTime,
    ) -> Result<Minted, Refusal> {
        let Self {
            settings, fixed, ..
        } = self;
        let policy = &settings.policy;
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
            settings.ttl,
            settings.remaining_life,
            source_end,
            key.not_after(),
        )?;

        let mut json = String::with_capacity(USUAL_BYTES);
        json.push('{');
        push_time(&mut json, "iat", now);
        push_time(&mut json, "exp", expires_at);
        if policy.not_before {
            push_time(&mut json, "nbf", now);
        }
        push_jti(&mut json)?;
        push_members(&mut json, &fixed.of_all);
        if let Some(application) = inputs.application {
            settings.push_application(&mut json, application);
        }
        match inputs.caller {
            Caller::Token(token) => fixed.push_user(&mut json, token),
            Caller::Without(auth_type) => push_text(&mut json, "auth_type", auth_type.as_str()),
        }
        settings.push_own(&mut json, inputs.claims)?;
        if let Caller::Token(token) = inputs.caller {
            settings.push_copied(&mut json, token, inputs.claims);
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

        let api = settings.api.as_ref().map(|api| api.name.as_str());
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
}

impl Settings {
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
            // What is not chosen is most of it, as a rule.
            if !policy.copied.includes(name) || value == "null" {
                continue;
            }
            // As `owns` compares them.
            let taken = |claims: &Claims| claims.has_folded(&folded(name));
            if !policy.owns(name) && !taken(&self.custom) && !taken(claims) {
                push_member(json, name, value);
            }
        }
    }
}

/// What is the same in every token of a minter, as JSON members.
pub(super) struct Fixed {
    of_all: String,
    /// What the gateway says of a user. Without a token there is none to say it of.
    of_users: String,
    /// The name of the claim that repeats the subject, if there is one.
    enduser: Option<String>,
}

impl Fixed {
    pub(super) fn new(
        Settings {
            policy,
            api,
            custom,
            ..
        }: &Settings,
    ) -> Self {
        let mut of_all = String::new();
        if !policy.has(Compatibility::NoIssuer) {
            push_text(&mut of_all, "iss", &policy.issuer);
        }
        // One audience is written by itself, as JWTs have it (RFC 7519 section 4.1.3).
        let audience = match &policy.audiences[..] {
            [] => None,
            [audience] if !policy.audience_array => Some(serde_json::to_string(audience)),
            audiences => Some(serde_json::to_string(audiences)),
        };
        if let Some(audience) = audience {
            let audience = audience.expect("strings always serialize");
            push_member(&mut of_all, "aud", &audience);
        }
        let push = |json: &mut String, name: &str, value: &str| {
            if let Some(name) = policy.dialect.name(name) {
                push_text(json, &name, value);
            }
        };
        if let Some(api) = api {
            push(&mut of_all, "apiname", &api.name);
            push(&mut of_all, "version", &api.version);
            if let Some(context) = &api.context {
                push(&mut of_all, "apicontext", context);
            }
        }
        let key_type = api.as_ref().map_or("PRODUCTION", |api| &api.key_type);
        push(&mut of_all, "keytype", key_type);
        push_members(&mut of_all, custom.json());
        let mut of_users = String::new();
        push(&mut of_users, "usertype", "Application_User");
        push(&mut of_users, "enduserTenantId", "0");
        let enduser = policy.dialect.name("enduser").filter(|_| policy.enduser);
        Self {
            of_all,
            of_users,
            enduser,
        }
    }

    fn push_user(&self, json: &mut String, token: &VerifiedToken) {
        if let Some(subject) = token.subject() {
            push_text(json, "sub", subject);
        }
        push_members(json, &self.of_users);
        if let (Some(name), Some(subject)) = (&self.enduser, token.subject()) {
            push_text(json, name, subject);
        }
    }
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
    push_name(json, name);
    push_string(json, value);
}

fn push_time(json: &mut String, name: &str, time: UnixTime) {
    push_name(json, name);
    write!(json, "{time}").expect("a string takes whatever is written");
}

/// A UUID of random bytes (RFC 9562 section 5.4), or an error: never one that is not random.
fn push_jti(json: &mut String) -> Result<(), Refusal> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| {
        Refusal::new(RefusalReason::KeysUnavailable).with_detail("the system gives no random bytes")
    })?;
    let uuid = uuid::Builder::from_random_bytes(bytes).into_uuid();
    let mut text = uuid::Uuid::encode_buffer();
    push_text(json, "jti", uuid.hyphenated().encode_lower(&mut text));
    Ok(())
}
