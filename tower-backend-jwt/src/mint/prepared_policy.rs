//! A policy that is ready to sign.

use super::{Api, Application, Claims, Policy, minter::Minter};
use crate::{Refusal, VerifiedToken};
use http::HeaderValue;
use std::{fmt, sync::Arc};

/// A policy of a [`PolicySet`](crate::PolicySet), checked and prepared, with the API it is for.
///
/// Cheap to clone. It stays what it is when the set changes: who routes requests can keep it with the
/// route, put it into the request's extensions, and exchange routes and policies at once.
#[derive(Clone)]
pub struct PreparedPolicy(Arc<Minter>);

impl PreparedPolicy {
    /// `minter` has an API.
    pub(super) fn new(minter: Minter) -> Self {
        Self(Arc::new(minter))
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.0.settings().policy
    }

    /// The API it is for.
    pub fn api(&self) -> &Api {
        let api = self.0.settings().api.as_ref();
        api.expect("a set prepares policies of APIs")
    }

    /// Signs a backend JWT for this token now, on this thread: for who sends it by other ways than a
    /// request that a [`BackendJwtLayer`](crate::BackendJwtLayer) sees. It says what a layer without claims of its
    /// own would have it say. It is kept nowhere: each call signs.
    ///
    /// ```
    /// # use tower_backend_jwt::{Api, Claims, Issuer, Policy, PolicySet, Verifier};
    /// # use tower_jwks::{Algorithm, Clock, JwkSet, KeyRing, SigningKey, SystemClock};
    /// # let provider = SigningKey::generate(Algorithm::ES256)?;
    /// # let exp = SystemClock.now().as_secs() + 60;
    /// # let token = provider.sign_jws("at+jwt", format!(
    /// #     r#"{{"iss":"https://idp.example.com","aud":"orders","sub":"alice","exp":{exp}}}"#
    /// # ).as_bytes())?;
    /// # let issuer = Issuer::from_jwks("https://idp.example.com", JwkSet::new([(&provider).into()])?)
    /// #     .audience("orders")
    /// #     .build()?;
    /// let token = Verifier::from(issuer).verify(&token)?;
    ///
    /// let policies = PolicySet::new(KeyRing::generate(Algorithm::ES256)?);
    /// policies.set("orders", Policy::default(), Api::new("orders", "1.0.0"))?;
    /// let policy = policies.get("orders").expect("it was set");
    /// let jwt = policy.sign(&token, None, &Claims::new())?;
    /// assert!(jwt.is_sensitive());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As the layer's refusals: the token is the gateway's own or expired, no key may sign now, a claim is
    /// claimed already, or the JWT would be too long.
    pub fn sign(
        &self,
        token: &VerifiedToken,
        application: Option<&Application>,
        claims: &Claims,
    ) -> Result<HeaderValue, Refusal> {
        self.0.sign_for(token, application, claims)
    }

    pub(crate) fn minter(&self) -> &Arc<Minter> {
        &self.0
    }

    /// Whether it would be made from these again.
    pub(super) fn is(&self, policy: &Policy, api: &Api) -> bool {
        let settings = self.0.settings();
        settings.policy == *policy && settings.api.as_ref() == Some(api)
    }
}

impl fmt::Debug for PreparedPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PreparedPolicy")
            .field(self.policy())
            .finish()
    }
}
