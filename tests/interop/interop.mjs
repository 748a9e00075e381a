// Checks backend JWTs with npm libraries, and makes access tokens with them.
//
//     node interop.mjs verify FILE         every case of FILE with every library
//     node interop.mjs sign DIRECTORY      writes DIRECTORY/<library>.json
//
// The files are those of interop.py, and so are the cases.

import { randomUUID, webcrypto } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";

// Node 18 has WebCrypto, but not as the global that jose takes it from.
globalThis.crypto ??= webcrypto;
const libraries = [await import("./with_jose.mjs"), await import("./with_jsonwebtoken.mjs")];

const ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "Ed25519"];
const ISSUER = "https://idp.example.com";
const AUDIENCE = "orders";

async function main([command, path]) {
  if (command === "verify" && path) {
    const failures = await verifyFile(JSON.parse(readFileSync(path, "utf8")));
    process.exitCode = failures ? 1 : 0;
  } else if (command === "sign" && path) {
    for (const library of libraries) await writeCases(library, path);
  } else {
    console.error("usage: node interop.mjs verify FILE | sign DIRECTORY");
    process.exitCode = 2;
  }
}

async function verifyFile({ signer, cases }) {
  let failures = 0;
  for (const library of libraries) {
    for (const testCase of cases) {
      let result;
      if (!library.algorithms.has(testCase.algorithm)) {
        result = "skipped, unknown to this library";
      } else {
        try {
          result = await verifyCase(library, testCase);
        } catch (error) {
          failures += 1;
          result = `FAILED: ${error.message}`;
        }
      }
      const label = `${library.name} ${library.version}`;
      console.log(
        `  ${signer.padEnd(20)} -> ${label.padEnd(20)} ${testCase.algorithm.padEnd(8)} ${testCase.name.padEnd(32)} ${result}`,
      );
    }
  }
  return failures;
}

async function verifyCase(library, testCase) {
  const { header, claims, refusal } = await attempt(library, testCase, testCase.token);
  if (!testCase.accepted) {
    check(refusal, "accepted, where it is to be refused");
    return `refused (${refusal})`;
  }
  check(!refusal, `refused: ${refusal}`);
  for (const [name, value] of Object.entries(testCase.header)) {
    check(header[name] === value, `header ${name} is ${header[name]}, not ${value}`);
  }
  for (const [name, value] of Object.entries(testCase.claims)) {
    check(isDeepStrictEqual(claims[name], value), `claim ${name} is ${JSON.stringify(claims[name])}, not ${JSON.stringify(value)}`);
  }
  check(typeof claims.jti === "string" && claims.jti, "jti is empty");
  const now = Date.now() / 1000;
  check(claims.iat <= now + 60 && now < claims.exp, "iat or exp is off");
  for (const [what, token] of Object.entries(tampered(testCase.token))) {
    const { refusal } = await attempt(library, testCase, token);
    check(refusal, `accepted with ${what}`);
  }
  return "accepted, refused when tampered with";
}

// Header and claims, or else why the library refused: each has errors of its own.
async function attempt(library, { jwks, algorithm, issuer, audience }, token) {
  try {
    return await library.verify(jwks, token, algorithm, issuer, audience ?? undefined);
  } catch (error) {
    return { refusal: error.code ?? error.message };
  }
}

function tampered(token) {
  const [header, payload, signature] = token.split(".");
  const claims = { ...JSON.parse(Buffer.from(payload, "base64url")), sub: "mallory" };
  const bytes = Buffer.from(signature, "base64url");
  bytes[0] ^= 1;
  return {
    "another sub": [header, Buffer.from(JSON.stringify(claims)).toString("base64url"), signature].join("."),
    "one bit of the signature turned": [header, payload, bytes.toString("base64url")].join("."),
    "no signature": [header, payload, ""].join("."),
  };
}

function check(truth, message) {
  if (!truth) throw new Error(message);
}

async function writeCases(library, directory) {
  const cases = [];
  for (const algorithm of ALGORITHMS) {
    if (library.algorithms.has(algorithm)) cases.push(...(await casesOf(library, algorithm)));
  }
  const signer = `${library.name} ${library.version}`;
  writeFileSync(join(directory, `${library.name}.json`), JSON.stringify({ signer, cases }, null, 1));
  console.log(`  ${signer.padEnd(20)} signed ${cases.length} access tokens`);
}

async function casesOf(library, algorithm) {
  const [key, other] = [await library.generate(algorithm), await library.generate(algorithm)];
  const kid = randomUUID();
  const jwk = { ...key.jwk, kid, alg: algorithm, use: "sig" };
  const header = { alg: algorithm, typ: "JWT", kid };
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: ISSUER,
    sub: "alice",
    aud: AUDIENCE,
    iat: now,
    nbf: now,
    exp: now + 3600,
    jti: randomUUID(),
    client_id: "shop",
    scope: "orders:read orders:write",
    org: { name: "Ünïon", units: [1, 2.5, null, true] },
  };
  const { kid: _, ...withoutKid } = header;

  const testCase = (name, token, accepted, expected = {}) => ({
    name,
    algorithm,
    issuer: ISSUER,
    audience: AUDIENCE,
    jwks: { keys: [jwk] },
    token,
    accepted,
    header: { alg: algorithm },
    claims,
    ...expected,
  });
  const signed = (changed, withHeader = header, withKey = key) =>
    library.sign(withKey, withHeader, { ...claims, ...changed });

  const listed = { aud: ["others", AUDIENCE] };
  const cases = [
    testCase("plain", await signed({}), true),
    testCase("list of audiences", await signed(listed), true, { claims: { ...claims, ...listed } }),
    testCase("typ at+jwt", await signed({}, { ...header, typ: "at+jwt" }), true),
    testCase("no kid in the token", await signed({}, withoutKid), true),
    testCase("no alg in the key", await signed({}), true, { jwks: { keys: [{ ...key.jwk, kid }] } }),
    testCase("signed with another key", await signed({}, header, other), false),
    testCase("expired", await signed({ iat: now - 7200, nbf: now - 7200, exp: now - 3600 }), false),
    testCase("not valid yet", await signed({ nbf: now + 1800 }), false),
    testCase("for another audience", await signed({ aud: "invoices" }), false),
    testCase("from another issuer", await signed({ iss: "https://other.example.com" }), false),
    testCase("alg none", library.unsecured(header, claims), false),
  ];
  const confused = await signedWithPublicKey(library, key, header, claims);
  if (confused) cases.push(testCase("HS256 with the public key", confused, false));
  return cases;
}

// Undefined from a library that does not let a public key be an HMAC secret.
async function signedWithPublicKey(library, key, header, claims) {
  try {
    return await library.signHs256(key.pem, header, claims);
  } catch {
    return undefined;
  }
}

await main(process.argv.slice(2));
