//! A verified token in, a signed JWT out.

use super::{
    Api, Application, Claims, Policy,
    cache::{Caller, Inputs, Minted},
    claims::{push_member, push_members},
    compatibility::Compatibility,
    lifetime::Lifetime,
    settings::Settings,
};
use crate::{
    VerifiedToken,
    json::push_string,
    refusal::{Refusal, RefusalReason},
};
use http::HeaderValue;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tower_jwks::{ConfigError, SigningKey, UnixTime};

/// Makes backend JWTs under one policy.
pub(crate) struct Minter {
    settings: Settings,
    /// No other minter's, so that several can share a cache, and what this one has made is not handed
    /// out any more when it is gone.
    number: u64,
    /// What every token of this minter claims, as JSON members.
    fixed: String,
}

impl Minter {
    pub(crate) fn new(settings: Settings) -> Self {
        static MADE: AtomicU64 = AtomicU64::new(0);
        Self {
            number: MADE.fetch_add(1, Ordering::Relaxed),
            fixed: fixed(&settings.policy, settings.api.as_ref(), &settings.custom),
            settings,
        }
    }

    pub(crate) const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The value of the field: a JWT that was made for the same inputs, or a new one. None for a
    /// caller of whom the policy says nothing.
    pub(crate) fn mint(
        &self,
        caller: Caller<'_>,
        application: Option<&Application>,
        claims: &Claims,
    ) -> Result<Option<HeaderValue>, Refusal> {
        let Settings { policy, clock, .. } = &self.settings;
        match caller {
            // Whatever `typ` it has and whoever is trusted: what we signed is not exchanged again.
            Caller::Token(token) if token.issuer() == policy.issuer => {
                return Err(Refusal::new(RefusalReason::SelfIssued));
            }
            Caller::Without(_) if !policy.minimal_assertion => return Ok(None),
            _ => {}
        }
        // Before the key is asked for: of a process that is held up in between, the token is the older one,
        // and not one of a key that is gone by now.
        let now = clock.now();
        let key = self.settings.keys.signing_key()?;
        let inputs = Inputs {
            minter: self.number,
            caller,
            application,
            claims: claims.json(),
        };
        let cache = self.settings.cache.as_deref();
        if let Some(value) = cache.and_then(|cache| cache.find(&inputs, &key, now)) {
            return Ok(Some(value));
        }
        let minted = self.sign(&inputs, claims, &key, now)?;
        let value = minted.value.clone();
        if let Some(cache) = cache {
            cache.insert(&inputs, minted);
        }
        Ok(Some(value))
    }

    fn sign(
        &self,
        inputs: &Inputs<'_>,
        claims: &Claims,
        key: &Arc<SigningKey>,
        now: UnixTime,
    ) -> Result<Minted, Refusal> {
        let policy = &self.settings.policy;
        let source_end = match inputs.caller {
            Caller::Token(token) => Some(token.expires_at()),
            Caller::Without(_) => None,
        };
        let Lifetime {
            expires_at,
            renew_at,
        } = Lifetime::new(now, self.settings.ttl, source_end, key.not_after())?;

        let mut json = String::with_capacity(1024);
        json.push('{');
        push_member(&mut json, "iat", &now.to_string());
        push_member(&mut json, "exp", &expires_at.to_string());
        if policy.not_before {
            push_member(&mut json, "nbf", &now.to_string());
        }
        push_text(&mut json, "jti", &jti()?);
        push_members(&mut json, &self.fixed);
        if let Some(application) = inputs.application {
            self.push_application(&mut json, application);
        }
        match inputs.caller {
            Caller::Token(token) => self.push_user(&mut json, token),
            Caller::Without(auth_type) => push_text(&mut json, "auth_type", auth_type.as_str()),
        }
        self.push_own(&mut json, claims)?;
        if let Caller::Token(token) = inputs.caller {
            self.push_copied(&mut json, token, claims);
        }
        json.push('}');

        let jwt = write(policy, key, json.as_bytes())?;
        if jwt.len() > policy.max_bytes {
            return Err(
                Refusal::new(RefusalReason::BackendJwtTooLong).with_detail(format!(
                    "{} bytes, of at most {}",
                    jwt.len(),
                    policy.max_bytes
                )),
            );
        }
        let mut value = HeaderValue::try_from(jwt).expect("base64url and dots are visible ASCII");
        value.set_sensitive(true);

        let api = self.settings.api.as_ref().map(|api| api.name.as_str());
        crate::trace::minted(key.kid(), api, expires_at);
        Ok(Minted {
            value,
            key: Arc::downgrade(key),
            issued_at: now,
            renew_at,
        })
    }

    /// What the gateway says of a user. Without a token there is none to say it of.
    fn push_user(&self, json: &mut String, token: &VerifiedToken) {
        let policy = &self.settings.policy;
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
        let policy = &self.settings.policy;
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
        let Settings { policy, custom, .. } = &self.settings;
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
        let policy = &self.settings.policy;
        for (name, value) in token.claims_iter() {
            let taken = policy.owns(name) || self.settings.custom.has(name) || claims.has(name);
            if !taken && value != "null" && policy.copied.includes(name) {
                push_member(json, name, value);
            }
        }
    }
}

/// The claims that are the same in every token of a minter, as JSON members.
fn fixed(policy: &Policy, api: Option<&Api>, custom: &Claims) -> String {
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
    push("keytype", api.map_or("PRODUCTION", |api| &api.key_type));
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

impl fmt::Debug for Minter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Minter")
            .field("keys", &self.settings.keys)
            .field("policy", &self.settings.policy)
            .field("api", &self.settings.api)
            .field("cache", &self.settings.cache)
            .finish_non_exhaustive()
    }
}
