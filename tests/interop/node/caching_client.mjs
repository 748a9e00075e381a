// Verifies backend JWTs as a service does that keeps the key set for a while, with jose's client.
//
//     node caching_client.mjs URL SECONDS ALGORITHM ISSUER
//
// A line `ID JWT` on standard input is answered `ID ok`, `ID refused WHY` or `ID unfetched WHY`. The first line on
// standard output is the library and its version.

import { createInterface } from "node:readline";
import * as jose from "jose";

import { versionOf } from "./version.mjs";

// As common as the second by which clocks differ.
const LEEWAY = 1;

const [url, seconds, algorithm, issuer] = process.argv.slice(2);
if (!issuer) {
  console.error("usage: node caching_client.mjs URL SECONDS ALGORITHM ISSUER");
  process.exit(2);
}
const keys = jose.createRemoteJWKSet(new URL(url), {
  cacheMaxAge: Number(seconds) * 1000,
  // A key that is not in the kept set is not looked for elsewhere: it has to have been known before it signed.
  cooldownDuration: Infinity,
});

async function verified(token) {
  try {
    await jose.jwtVerify(token, keys, {
      algorithms: [algorithm],
      issuer,
      clockTolerance: LEEWAY,
      requiredClaims: ["iss", "exp", "iat", "jti"],
    });
    return "ok";
  } catch (error) {
    const why = [error.code, error.message, error.cause?.message].filter(Boolean).join(": ");
    return `${wasFetched(error) ? "refused" : "unfetched"} ${why.replaceAll("\n", " ")}`;
  }
}

// What jose says of a token or a key has a code of its own; of an answer other than 200 it has the general one.
function wasFetched(error) {
  return error.code?.startsWith("ERR_J") && !["ERR_JOSE_GENERIC", "ERR_JWKS_TIMEOUT"].includes(error.code);
}

console.log(`jose ${versionOf("jose")}`);
for await (const line of createInterface({ input: process.stdin })) {
  const [id, token] = line.split(" ");
  verified(token).then((answer) => console.log(`${id} ${answer}`));
}
