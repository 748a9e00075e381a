// Checks backend JWTs with npm libraries, and makes access tokens with them.
//
//     node interop.mjs verify FILE               every case of FILE with every library
//     node interop.mjs sign RECIPES DIRECTORY    writes DIRECTORY/<library>.json, as RECIPES says
//
// FILE and RECIPES are described in ../README.md.

import { webcrypto } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";

// Node 18 has WebCrypto, but not as the global that jose takes it from.
globalThis.crypto ??= webcrypto;
const libraries = [await import("./with_jose.mjs"), await import("./with_jsonwebtoken.mjs")];

const ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "Ed25519"];

async function main([command, path, directory]) {
  if (command === "verify" && path) {
    const failures = await verifyFile(read(path));
    process.exitCode = failures ? 1 : 0;
  } else if (command === "sign" && directory) {
    for (const library of libraries) await writeCases(library, read(path), directory);
  } else {
    console.error("usage: node interop.mjs verify FILE | sign RECIPES DIRECTORY");
    process.exitCode = 2;
  }
}

function read(path) {
  return JSON.parse(readFileSync(path, "utf8"));
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
  if (!testCase.accepted || testCase.refused_by?.includes(library.name)) {
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

async function writeCases(library, recipes, directory) {
  const cases = [];
  for (const algorithm of ALGORITHMS) {
    if (library.algorithms.has(algorithm)) cases.push(...(await casesOf(library, algorithm, recipes)));
  }
  const signer = `${library.name} ${library.version}`;
  writeFileSync(join(directory, `${library.name}.json`), JSON.stringify({ signer, cases }, null, 1));
  console.log(`  ${signer.padEnd(20)} signed ${cases.length} access tokens`);
}

async function casesOf(library, algorithm, recipes) {
  const [key, other] = [await library.generate(algorithm), await library.generate(algorithm)];
  const common = { alg: algorithm, kid: recipes.header.kid };
  const publicKey = { ...key.jwk, ...common, use: "sig" };
  const now = Math.floor(Date.now() / 1000);
  const cases = [];
  for (const recipe of recipes.cases) {
    const header = changed({ ...recipes.header, ...common }, recipe.header);
    const times = Object.entries({ ...recipes.times, ...recipe.times });
    const claims = {
      ...recipes.claims,
      ...Object.fromEntries(times.map(([name, offset]) => [name, now + offset])),
      ...recipe.claims,
    };
    const token = await signed(library, recipe.key, key, other, header, claims);
    if (!token) continue;
    cases.push({
      name: recipe.name,
      algorithm,
      issuer: recipes.issuer,
      audience: recipes.audience,
      jwks: { keys: [changed(publicKey, recipe.jwk)] },
      token,
      accepted: recipe.accepted,
      header,
      claims,
    });
  }
  return cases;
}

function signed(library, which, key, other, header, claims) {
  switch (which) {
    case "another": return library.sign(other, header, claims);
    case "none": return library.unsecured(header, claims);
    case "public": return signedWithPublicKey(library, key, header, claims);
    default: return library.sign(key, header, claims);
  }
}

// Undefined from a library that does not let a public key be an HMAC secret.
async function signedWithPublicKey(library, key, header, claims) {
  try {
    return await library.signHs256(key.pem, header, claims);
  } catch {
    return undefined;
  }
}

// With null a member is left out.
function changed(members, changes) {
  return Object.fromEntries(Object.entries({ ...members, ...changes }).filter(([, value]) => value !== null));
}

await main(process.argv.slice(2));
