//! What WSO2's documentation shows, done with the gateway as a reader of it would: an apk-conf is deployed
//! by `curl`, called with tokens of a real identity provider, and what arrives at the service behind is
//! compared with the documentation's samples. `cargo xtask test interop` runs it.
//!
//! ```text
//! wso2 GATEWAY PROVIDER SAMPLES    the gateway's program; where provider.mjs is, with its packages
//!                                  installed; tests/interop/wso2
//! ```

mod checks;
mod curl;
mod documents;
mod echo;
mod gateway;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};
use tests::identity_provider::Provider;
use tokio::net::TcpListener;

use crate::{
    checks::{assertion, names, number, read, same, same_type, text},
    curl::{called, curl, expect},
    documents::{applications, certificate, conf_of, settings, setup},
    echo::echo,
    gateway::Gateway,
};

type Failure = Box<dyn Error + Send + Sync>;

const DIALECT: &str = "http://wso2.org/claims/";

/// Claims that are another each time.
const CHANGING: [&str; 3] = ["iat", "exp", "jti"];

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let result = match arguments.as_slice() {
        [gateway, provider, samples] => run(gateway, provider, samples).await,
        _ => Err("usage: wso2 GATEWAY PROVIDER SAMPLES".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(program: &Path, provider: &Path, samples: &Path) -> Result<(), Failure> {
    let user = read(&samples.join("authorization-code.json"))?;
    let folder = provider.join("wso2");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("apis"))?;
    fs::write(folder.join("setup.json"), setup(&user)?.to_string())?;
    let _ = fs::remove_file(provider.join("keys.json"));
    let provider = Provider::start(provider, 0, &["--setup", "wso2/setup.json"])?;

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let behind = format!("http://{}", listener.local_addr()?);
    let _behind = tokio::spawn(echo(listener));

    fs::write(
        folder.join("applications.yaml"),
        applications(&user, provider.issuer())?.to_string(),
    )?;
    fs::write(
        folder.join("gateway.yaml"),
        settings(provider.issuer()).to_string(),
    )?;
    certificate(&folder)?;
    let gateway = Gateway::start(program, &folder)?;
    let deployer = provider.token(&[
        "client_credentials",
        "--resource",
        "urn:deployer",
        "--scope",
        "apk:api_create",
        "--client",
        "deployer",
        "--secret",
        "deployer-secret",
    ])?;
    let service = provider.token(&[
        "client_credentials",
        "--resource",
        "urn:api",
        "--scope",
        "email",
    ])?;
    let token = provider.token(&[
        "authorization_code",
        "--resource",
        "urn:api",
        "--scope",
        text(&user, "scope")?,
        "--client",
        text(&user, "client_id")?,
    ])?;

    the_policy_of_the_documentation(&gateway, samples, &behind, &deployer, &service)?;
    let claims = of_a_user(&gateway, &user, &behind, &deployer, &token)?;
    of_client_credentials(&gateway, samples, &behind, &deployer, &service)?;
    the_key_set(&gateway, samples, &folder, &claims)
}

/// "Attach Backend JWT Token manipulation Policy to APIs via REST API", line by line.
fn the_policy_of_the_documentation(
    gateway: &Gateway,
    samples: &Path,
    behind: &str,
    deployer: &str,
    token: &str,
) -> Result<(), Failure> {
    // The sample but for its endpoint, as nothing is sent to the internet.
    let conf = fs::read_to_string(samples.join("backend-jwt.apk-conf"))?;
    let conf = conf.replace("https://httpbin.org", behind);
    let url = gateway.url("/backend_jwt/1.0.0/test");
    expect(&curl(&[&url])?, "404")?;
    expect(&gateway.deploy(&conf, None)?, "401")?;
    expect(&gateway.deploy(&conf, Some(token))?, "401")?;

    let deployed = gateway.deploy(&conf, Some(deployer))?;
    expect(&deployed, "200")?;
    let id = deployed
        .body
        .lines()
        .find_map(|line| line.strip_prefix("id: "))
        .ok_or("the answer has no id")?
        .trim_matches(['"', '\''])
        .to_owned();

    expect(&curl(&[&url])?, "401")?;
    let answer = called(&url, token)?;
    same("the path", &answer["path"], "/anything/test")?;
    let (header, claims) = assertion(&answer)?;
    same("typ", &header["typ"], "JWT")?;
    same("alg", &header["alg"], "RS256")?;
    same("claim1", &claims["claim1"], "value1")?;
    same("claim2", &claims["claim2"], "value2")?;
    let life = number(&claims, "exp")? - number(&claims, "iat")?;
    same("tokenTTL", &json!(life), 3600)?;

    // Deployed once more, with other claims: the very next call sees them.
    let other = conf.replace("value: value2", "value: value3");
    expect(&gateway.deploy(&other, Some(deployer))?, "200")?;
    same(
        "claim2",
        &assertion(&called(&url, token)?)?.1["claim2"],
        "value3",
    )?;

    let undeploy = gateway.admin_url(&format!("/api/deployer/1.2.0/apis/undeploy?apiId={id}"));
    let authorization = format!("Authorization: Bearer {deployer}");
    expect(
        &curl(&["-X", "POST", "-H", &authorization, &undeploy])?,
        "202",
    )?;
    expect(
        &curl(&["-H", &format!("Authorization: Bearer {token}"), &url])?,
        "404",
    )?;
    expect(
        &curl(&["-X", "POST", "-H", &authorization, &undeploy])?,
        "404",
    )?;
    println!(
        "wso2: the apk-conf of the documentation deployed, called, deployed again, undeployed"
    );
    Ok(())
}

/// Choreo's sample for a token of the authorization code grant, claim by claim.
fn of_a_user(
    gateway: &Gateway,
    sample: &Map<String, Value>,
    behind: &str,
    deployer: &str,
    token: &str,
) -> Result<(Value, Value), Failure> {
    let conf = conf_of(sample, behind)?;
    expect(&gateway.deploy(&conf, Some(deployer))?, "200")?;
    let context = text(sample, &format!("{DIALECT}apicontext"))?;
    let (header, claims) = assertion(&called(&gateway.url(&format!("{context}/test")), token)?)?;
    let claims_had = claims.as_object().ok_or("no claims")?;
    let (expected, had) = (names(sample), names(claims_had));
    if expected != had {
        return Err(format!("other claims than the sample's: {had:?}, not {expected:?}").into());
    }
    as_in(sample, &claims)?;
    println!(
        "wso2: a user's backend JWT has the {} claims of Choreo's sample, and no others",
        had.len()
    );
    Ok((header, claims))
}

/// Choreo's sample for a token of the client credentials grant, and that of its older documentation. They
/// have what the gateway says of the API; a real token says besides whose it is.
fn of_client_credentials(
    gateway: &Gateway,
    samples: &Path,
    behind: &str,
    deployer: &str,
    token: &str,
) -> Result<(), Failure> {
    for name in ["client-credentials.json", "claims.json"] {
        let sample = read(&samples.join(name))?;
        expect(
            &gateway.deploy(&conf_of(&sample, behind)?, Some(deployer))?,
            "200",
        )?;
        let context = text(&sample, &format!("{DIALECT}apicontext"))?;
        let (_, claims) = assertion(&called(&gateway.url(&format!("{context}/test")), token)?)?;
        as_in(&sample, &claims)?;
        let had = names(claims.as_object().ok_or("no claims")?);
        let more: Vec<_> = had.difference(&names(&sample)).cloned().collect();
        same(
            "what the token adds",
            &json!(more),
            json!(["client_id", "scope", "sub"]),
        )?;
        // Both samples are of one API; the next is another, at the same place.
        gateway.undeploy(&sample, deployer)?;
        println!(
            "wso2: a client's backend JWT has the {} claims of {name}, and those of its token",
            sample.len()
        );
    }
    Ok(())
}

/// Each claim of the sample is there, with its value or, where that is another each time, of its type.
fn as_in(sample: &Map<String, Value>, claims: &Value) -> Result<(), Failure> {
    for (name, value) in sample {
        if CHANGING.contains(&name.as_str()) {
            same_type(name, &claims[name], value)?;
        } else {
            same(name, &claims[name], value.clone())?;
        }
    }
    Ok(())
}

/// Choreo's sample of the key set, member by member; and the key that has signed is in it.
fn the_key_set(
    gateway: &Gateway,
    samples: &Path,
    folder: &Path,
    (header, _): &(Value, Value),
) -> Result<(), Failure> {
    let sample = read(&samples.join("jwks.json"))?;
    let sample = sample["keys"][0].as_object().ok_or("no key")?;
    let answer = curl(&[&gateway.url("/.wellknown/jwks")])?;
    expect(&answer, "200")?;
    let set: Value = serde_json::from_str(&answer.body)?;
    let [key] = set["keys"].as_array().ok_or("no keys")?.as_slice() else {
        return Err("not one key".into());
    };
    let key = key.as_object().ok_or("a key that is no object")?;
    same(
        "the members of a key",
        &json!(names(key)),
        json!(names(sample)),
    )?;
    for name in ["kty", "e", "use", "alg"] {
        same(name, &key[name], sample[name].clone())?;
    }
    for name in ["kid", "n"] {
        let (had, expected) = (text(key, name)?.len(), text(sample, name)?.len());
        same(&format!("the length of {name}"), &json!(had), expected)?;
    }
    // As openssl sees the certificate.
    let output = Command::new("openssl")
        .args(["x509", "-noout", "-fingerprint", "-sha256", "-in"])
        .arg(folder.join("signing.crt"))
        .output()?;
    let output = String::from_utf8(output.stdout)?;
    let (_, hex) = output.trim().rsplit_once('=').ok_or("no fingerprint")?;
    let hex = hex.replace(':', "").to_ascii_lowercase();
    same("kid", &key["kid"], BASE64_URL_SAFE_NO_PAD.encode(hex))?;
    same(
        "the kid of the backend JWT",
        &header["kid"],
        key["kid"].clone(),
    )?;
    println!(
        "wso2: the key set has the members of Choreo's sample; the kid is that of the certificate"
    );
    Ok(())
}
