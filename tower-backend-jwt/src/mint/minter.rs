//! A verified token in, a signed JWT out.

use super::{
    Api, Application, Claims, Policy,
    cache::{Inputs, JwtCache, Minted},
    claims::push_member,
};
use crate::{
    VerifiedToken,
    json::push_string,
    refusal::{Refusal, RefusalReason},
};
use http::HeaderValue;
use std::{fmt, sync::Arc, time::Duration};
use tower_jwks::{Clock, ConfigError, KeyRing, SigningKey, SystemClock, UnixTime};

/// What a [`Minter`] is made from.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) keys: KeyRing,
    pub(crate) policy: Policy,
    /// The policy's custom claims, rendered.
    custom: Claims,
    pub(crate) api: Option<Api>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Entries and bytes.
    pub(crate) cache: Option<(usize, u64)>,
}

impl Settings {
    pub(crate) fn new(keys: KeyRing) -> Self {
        Self {
            keys,
            policy: Policy::default(),
            custom: Claims::new(),
            api: None,
            clock: Arc::new(SystemClock),
            cache: Some((10_000, 64 * 1024 * 1024)),
        }
    }

    /// Takes a policy that is sound by itself and fits the keys.
    pub(crate) fn set_policy(&mut self, policy: Policy) -> Result<(), ConfigError> {
        self.custom = policy.check()?;
        let ours = self.keys.algorithm();
        if let Some(asked) = policy.algorithm.filter(|asked| *asked != ours) {
            return Err(ConfigError::new(
                "algorithm",
                format!("is {asked}, but the key signs with {ours}"),
            ));
        }
        self.policy = policy;
        Ok(())
    }
}

/// Makes backend JWTs after one policy.
pub(crate) struct Minter {
    settings: Settings,
    /// What every token of this minter claims, as JSON members.
    fixed: String,
    cache: Option<JwtCache>,
}

impl Minter {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            fixed: fixed(&settings.policy, settings.api.as_ref(), &settings.custom),
            cache: settings
                .cache
                .filter(|(entries, _)| *entries > 0)
                .map(|(entries, bytes)| JwtCache::new(entries, bytes)),
            settings,
        }
    }

    pub(crate) const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The value of the field: a JWT that was made for the same inputs, or a new one.
    pub(crate) fn mint(
        &self,
        token: &VerifiedToken,
        application: Option<&Application>,
        claims: &Claims,
    ) -> Result<HeaderValue, Refusal> {
        let Settings { policy, clock, .. } = &self.settings;
        // Whatever `typ` it has and whoever is trusted: what we signed is not exchanged again.
        if token.issuer() == policy.issuer {
            return Err(Refusal::new(RefusalReason::SelfIssued));
        }
        let key = self.settings.keys.signing_key()?;
        let now = clock.now();
        let inputs = Inputs {
            token,
            application,
            claims: claims.json(),
        };
        if let Some(value) = self
            .cache
            .as_ref()
            .and_then(|cache| cache.find(&inputs, &key, now))
        {
            return Ok(value);
        }
        let minted = self.sign(&inputs, claims, &key, now)?;
        let value = minted.value.clone();
        if let Some(cache) = &self.cache {
            cache.insert(&inputs, minted);
        }
        Ok(value)
    }

    fn sign(
        &self,
        inputs: &Inputs<'_>,
        claims: &Claims,
        key: &Arc<SigningKey>,
        now: UnixTime,
    ) -> Result<Minted, Refusal> {
        let policy = &self.settings.policy;
        let Lifetime {
            expires_at,
            renew_at,
        } = Lifetime::new(now, policy.ttl, inputs.token.expires_at(), key.not_after())?;

        let mut json = String::with_capacity(1024);
        json.push('{');
        if let Some(subject) = inputs.token.subject() {
            push_text(&mut json, "sub", subject);
        }
        push_member(&mut json, "iat", &now.to_string());
        push_member(&mut json, "exp", &expires_at.to_string());
        if policy.not_before {
            push_member(&mut json, "nbf", &now.to_string());
        }
        push_text(&mut json, "jti", &jti()?);
        json.push(',');
        json.push_str(&self.fixed);
        self.push_caller(&mut json, inputs);
        self.push_own(&mut json, claims)?;
        self.push_copied(&mut json, inputs.token, claims);
        json.push('}');

        let jwt = key.sign_jws(&policy.typ, json.as_bytes())?;
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

    /// What the gateway says of the user and the application.
    fn push_caller(&self, json: &mut String, inputs: &Inputs<'_>) {
        let policy = &self.settings.policy;
        let mut push = |name: &str, value: &str| {
            if let Some(name) = policy.dialect.name(name) {
                push_text(json, &name, value);
            }
        };
        if policy.enduser
            && let Some(subject) = inputs.token.subject()
        {
            push("enduser", subject);
        }
        let Some(application) = inputs.application else {
            return;
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
        let dialect = &self.settings.policy.dialect;
        if let Some(name) = claims
            .names()
            .find(|name| dialect.owns(name) || self.settings.custom.has(name))
        {
            return Err(Refusal::new(RefusalReason::UnusableClaims)
                .with_detail(format!("{name:?} is claimed already")));
        }
        if !claims.json().is_empty() {
            json.push(',');
            json.push_str(claims.json());
        }
        Ok(())
    }

    fn push_copied(&self, json: &mut String, token: &VerifiedToken, claims: &Claims) {
        let policy = &self.settings.policy;
        for (name, value) in token.claims_iter() {
            let taken =
                policy.dialect.owns(name) || self.settings.custom.has(name) || claims.has(name);
            if !taken && value != "null" && policy.copied.includes(name) {
                push_member(json, name, value);
            }
        }
    }
}

/// How long a backend JWT lives, and is handed out.
struct Lifetime {
    expires_at: UnixTime,
    renew_at: UnixTime,
}

impl Lifetime {
    /// It never outlives its source nor its key. Leeway, which the source may live on for, is for
    /// clocks that differ, and is not handed on.
    fn new(
        now: UnixTime,
        ttl: Duration,
        source_end: UnixTime,
        key_end: Option<UnixTime>,
    ) -> Result<Self, Refusal> {
        if source_end <= now {
            return Err(Refusal::new(RefusalReason::Expired));
        }
        let wanted = now.saturating_add(ttl);
        let mut expires_at = wanted.min(source_end);
        if let Some(key_end) = key_end {
            if key_end <= now {
                return Err(Refusal::new(RefusalReason::KeysUnavailable)
                    .with_detail("the signing key's certificate is expired"));
            }
            expires_at = expires_at.min(key_end);
        }
        Ok(Self {
            expires_at,
            // Half of its time is left at least, unless a new one could live no longer.
            renew_at: if expires_at < wanted {
                expires_at
            } else {
                now.saturating_add(ttl / 2)
            },
        })
    }
}

/// The claims that are the same in every token of a minter, as JSON members.
fn fixed(policy: &Policy, api: Option<&Api>, custom: &Claims) -> String {
    let mut json = String::new();
    push_text(&mut json, "iss", &policy.issuer);
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
    push("usertype", "Application_User");
    push("enduserTenantId", "0");
    if !custom.json().is_empty() {
        json.push(',');
        json.push_str(custom.json());
    }
    json
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
            .field("cache", &self.cache)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> UnixTime {
        UnixTime::from_secs(secs)
    }

    fn lifetime(source: u64, key: Option<u64>) -> Result<(u64, u64), RefusalReason> {
        Lifetime::new(at(1000), Duration::from_secs(100), at(source), key.map(at))
            .map(|life| (life.expires_at.as_secs(), life.renew_at.as_secs()))
            .map_err(|refusal| refusal.reason())
    }

    #[test]
    fn a_backend_jwt_outlives_neither_its_source_nor_its_key() {
        assert_eq!(lifetime(5000, None), Ok((1100, 1050)));
        assert_eq!(lifetime(1030, None), Ok((1030, 1030)));
        assert_eq!(lifetime(5000, Some(1020)), Ok((1020, 1020)));
        assert_eq!(lifetime(1030, Some(1020)), Ok((1020, 1020)));
        assert_eq!(lifetime(1100, None), Ok((1100, 1050)));
    }

    #[test]
    fn nothing_is_minted_from_what_is_expired() {
        assert_eq!(lifetime(1000, None), Err(RefusalReason::Expired));
        assert_eq!(lifetime(999, None), Err(RefusalReason::Expired));
        assert_eq!(
            lifetime(5000, Some(1000)),
            Err(RefusalReason::KeysUnavailable)
        );
    }
}
