// What interop.mjs asks of a library, answered by jsonwebtoken.

import { createPublicKey, generateKeyPairSync } from "node:crypto";
import jwt from "jsonwebtoken";

import { versionOf } from "./version.mjs";

export const name = "jsonwebtoken";
export const version = versionOf("jsonwebtoken");
export const algorithms = new Set(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384"]);

export async function verify(jwks, token, algorithm, issuer, audience) {
  const { header: unverified } = jwt.decode(token, { complete: true });
  const keys = jwks.keys.filter((key) => unverified.kid === undefined || key.kid === unverified.kid);
  if (keys.length !== 1) throw new Error(`${keys.length} keys with kid ${unverified.kid}`);
  const { header, payload } = jwt.verify(token, createPublicKey({ key: keys[0], format: "jwk" }), {
    algorithms: [algorithm],
    issuer,
    audience,
    complete: true,
  });
  return { header, claims: payload };
}

export async function generate(algorithm) {
  const curves = { ES256: "P-256", ES384: "P-384" };
  const { privateKey, publicKey } = algorithm in curves
    ? generateKeyPairSync("ec", { namedCurve: curves[algorithm] })
    : generateKeyPairSync("rsa", { modulusLength: 2048 });
  return {
    privateKey,
    jwk: publicKey.export({ format: "jwk" }),
    pem: publicKey.export({ format: "pem", type: "spki" }),
  };
}

export function sign(key, header, claims) {
  return jwt.sign(claims, key.privateKey, { algorithm: header.alg, header });
}

export function unsecured(header, claims) {
  return jwt.sign(claims, null, { algorithm: "none", header: { ...header, alg: "none" } });
}

export function signHs256(secret, header, claims) {
  return jwt.sign(claims, secret, { algorithm: "HS256", header: { ...header, alg: "HS256" } });
}
