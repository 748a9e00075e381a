//! tower-oauth2-resource-server, with its default cryptography, and with aws-lc-rs.

use axum::body::Body;
use bench_kit::{AUDIENCE, ISSUER};
use peer_costs::{Given, router, run, validating};
use std::process::ExitCode;
use tower_oauth2_resource_server::{
    server::OAuth2ResourceServer, tenant::TenantConfiguration, validation::ClaimsValidationSpec,
};

const NAME: &str = if cfg!(feature = "aws-lc-rs") {
    "peer-tower-oauth2-resource-server-aws-lc-rs"
} else {
    "peer-tower-oauth2-resource-server-rust-crypto"
};

fn main() -> ExitCode {
    run(async |given: &Given| {
        let audiences = vec![AUDIENCE.to_owned()];
        // With keys that are given it would not check the issuer by default.
        let claims = ClaimsValidationSpec::recommended(ISSUER, &audiences);
        let tenant = TenantConfiguration::static_builder(given.provider.jwks())
            .identifier(ISSUER)
            .audiences(&audiences)
            .claims_validation(claims)
            .build()
            .expect("a key set");
        let server = <OAuth2ResourceServer>::builder()
            .add_tenant(tenant)
            .build()
            .await
            .expect("sound settings");
        let router = router().layer(server.into_layer());
        vec![validating::<_, Body, _>(NAME, router, given)]
    })
}
