// What interop.mjs asks of a library, answered by jose.

import * as jose from "jose";

import { versionOf } from "./version.mjs";

export const name = "jose";
export const version = versionOf("jose");
export const algorithms = new Set([
  "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "Ed25519",
]);

export async function verify(jwks, token, algorithm, issuer, audience) {
  const { protectedHeader, payload } = await jose.jwtVerify(token, jose.createLocalJWKSet(jwks), {
    algorithms: [algorithm],
    issuer,
    audience,
    requiredClaims: ["iss", "exp", "iat", "jti"],
  });
  return { header: protectedHeader, claims: payload };
}

export async function generate(algorithm) {
  const { privateKey, publicKey } = await jose.generateKeyPair(algorithm, { extractable: true });
  return { privateKey, jwk: await jose.exportJWK(publicKey), pem: await jose.exportSPKI(publicKey) };
}

export function sign(key, header, claims) {
  return new jose.SignJWT(claims).setProtectedHeader(header).sign(key.privateKey);
}

export function unsecured(_header, claims) {
  return new jose.UnsecuredJWT(claims).encode();
}

export function signHs256(secret, header, claims) {
  const bytes = new TextEncoder().encode(secret);
  return new jose.SignJWT(claims).setProtectedHeader({ ...header, alg: "HS256" }).sign(bytes);
}
