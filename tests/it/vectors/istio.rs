//! The tokens of Istio's own tests, most of them good until the next century.

use serde::Deserialize;
use serde_json::{Map, Value};
use tests::{corpora, time::clock};
use tower_backend_jwt::{Issuer, IssuerBuilder, Refusal, RefusalReason, VerifiedToken, Verifier};
use tower_jwks::JwkSet;

#[derive(Deserialize)]
struct Case {
    id: String,
    iss: String,
    jwks: Value,
    jws: String,
    claims: Map<String, Value>,
    expected: String,
}

impl Case {
    fn verify(
        &self,
        rules: impl FnOnce(IssuerBuilder) -> IssuerBuilder,
    ) -> Result<VerifiedToken, Refusal> {
        let keys = JwkSet::parse(self.jwks.to_string()).unwrap();
        let issuer = rules(Issuer::from_jwks(&self.iss, keys)).build().unwrap();
        let verifier = Verifier::builder().issuer(issuer).clock(clock());
        verifier.build().unwrap().verify(&self.jws)
    }

    fn refusal(&self, rules: impl FnOnce(IssuerBuilder) -> IssuerBuilder) -> RefusalReason {
        self.verify(rules).unwrap_err().reason()
    }
}

const fn any(rules: IssuerBuilder) -> IssuerBuilder {
    rules.dangerous_accept_any_audience()
}

#[test]
fn istios_tokens_are_verified_with_all_their_claims() {
    let Some(cases) = corpora::json_lines::<Case>("istio/cases.jsonl") else {
        return;
    };
    let (valid, invalid): (Vec<Case>, Vec<Case>) =
        cases.into_iter().partition(|case| case.expected == "valid");
    assert!(valid.len() >= 14);
    for case in &valid {
        let token = case.verify(any).unwrap();
        let claims: Map<String, Value> = token.claims().unwrap();
        assert_eq!(claims, case.claims, "{}", case.id);
        assert_eq!(token.issuer(), case.iss);
        assert_eq!(token.subject(), case.claims["sub"].as_str());
        assert_eq!(
            Some(token.expires_at().as_secs()),
            case.claims["exp"].as_u64()
        );
        assert_eq!(
            token.client_id(),
            case.claims.get("azp").and_then(Value::as_str)
        );
    }
    let invalid: Vec<_> = invalid
        .iter()
        .map(|case| (&*case.id, case.refusal(any)))
        .collect();
    assert_eq!(invalid, [("istio-TokenExpired", RefusalReason::Expired)]);
}

#[test]
fn an_audience_of_istios_tokens_is_one_of_theirs_or_they_are_refused() {
    let Some(cases) = corpora::json_lines::<Case>("istio/cases.jsonl") else {
        return;
    };
    let mut with_audience = 0;
    for case in cases.iter().filter(|case| case.expected == "valid") {
        let audiences = match case.claims.get("aud") {
            None => {
                let reason = case.refusal(|rules| rules.audience("foo"));
                assert_eq!(reason, RefusalReason::MissingClaim, "{}", case.id);
                continue;
            }
            Some(Value::Array(audiences)) => audiences.clone(),
            Some(audience) => vec![audience.clone()],
        };
        with_audience += 1;
        for audience in audiences {
            let audience = audience.as_str().unwrap();
            let token = case.verify(|rules| rules.audience("other").audience(audience));
            assert!(token.unwrap().audiences().any(|of| of == audience));
        }
        for other in ["fo", "fooo", "Foo", "*", "foo buzz"] {
            let reason = case.refusal(|rules| rules.audience(other));
            assert_eq!(reason, RefusalReason::WrongAudience, "{}", case.id);
        }
    }
    assert!(with_audience >= 2);
}

#[test]
fn the_scopes_of_istios_tokens_are_found_where_the_issuer_is_said_to_have_them() {
    let Some(cases) = corpora::json_lines::<Case>("istio/cases.jsonl") else {
        return;
    };
    let case = |id| cases.iter().find(|case| case.id == id).unwrap();
    let scopes = |token: VerifiedToken| token.scopes().map(str::to_owned).collect::<Vec<_>>();

    let spaces = case("istio-TokenIssuer2WithSpaceDelimitedScope");
    assert_eq!(scopes(spaces.verify(any).unwrap()), ["write", "read"]);

    let custom = case("istio-TokenIssuer2WithCustomScopeSpaceDelimitedScope");
    assert_eq!(scopes(custom.verify(any).unwrap()), [""; 0]);
    let token = custom.verify(|rules| any(rules).scope_claim("custom_scope"));
    assert_eq!(scopes(token.unwrap()), ["admin", "user"]);

    let array = case("istio-sample-groups-scope");
    assert_eq!(scopes(array.verify(any).unwrap()), [""; 0]);
    let token = array.verify(|rules| any(rules).accept_scope_arrays());
    assert_eq!(scopes(token.unwrap()), ["scope1", "scope2"]);
}

#[test]
fn a_token_of_one_of_istios_issuers_is_not_one_of_another() {
    let Some(cases) = corpora::json_lines::<Case>("istio/cases.jsonl") else {
        return;
    };
    let (theirs, sample): (Vec<Case>, Vec<Case>) = cases
        .into_iter()
        .filter(|case| case.expected == "valid")
        .partition(|case| case.iss.starts_with("test-issuer-"));
    for case in &theirs {
        let keys = JwkSet::parse(sample[0].jwks.to_string()).unwrap();
        // The name is right and the keys are another's.
        let issuer = any(Issuer::from_jwks(&case.iss, keys)).build().unwrap();
        let verifier = Verifier::builder().issuer(issuer).clock(clock());
        let refusal = verifier.build().unwrap().verify(&case.jws).unwrap_err();
        assert_eq!(refusal.reason(), RefusalReason::UnknownKey, "{}", case.id);
    }
}
