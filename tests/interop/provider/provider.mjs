// A certified OpenID provider (npm's oidc-provider) on loopback, to verify real access tokens of.
//
//     node provider.mjs --port PORT [--keys FILE] [--setup FILE]
//
// PORT 0 is any free one. Once it listens it prints one line of JSON, and nothing else, to stdout:
// {"issuer": "http://127.0.0.1:PORT", "control": "http://127.0.0.1:PORT/control"}. It stops at
// SIGTERM, and when its stdin closes, so that it cannot outlive the test that started it.
//
// FILE holds the private keys: they are read from it if it exists, and written to it whenever new
// ones are made. A provider that died can so return with the keys it had.
//
// The setup is JSON that adds to what there is, or takes its place: {"account": ID, "lifetime": SECONDS,
// "clients": [METADATA], "resources": {URN: {"audience": TEXT, "scope": TEXT}}, "claims": {NAME: VALUE}}.
// The claims are those of the users' access tokens.
//
//     POST CONTROL/rotate      new keys for all the old ones, at once: {"kids": […]}

import * as crypto from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { parseArgs, promisify } from "node:util";
import Provider, { errors } from "oidc-provider";

// stdout belongs to our one line; the provider prints its notices with console.info.
console.info = console.log = console.error;

const HOST = "127.0.0.1";
const USAGE = "usage: node provider.mjs --port PORT [--keys FILE] [--setup FILE]";
const AUDIENCE = "orders";
const SCOPES = "orders:read orders:write";
const SETUP = { account: "alice", lifetime: 600, clients: [], resources: {}, claims: {} };
const LIMITED = ["AccessToken", "ClientCredentials", "Grant", "IdToken", "Interaction", "Session"];

const KEY_TYPES = {
  RS256: ["rsa", { modulusLength: 2048 }],
  PS256: ["rsa", { modulusLength: 2048 }],
  ES256: ["ec", { namedCurve: "P-256" }],
  EdDSA: ["ed25519", {}],
};
const ALGORITHMS = Object.keys(KEY_TYPES);

const CLIENTS = [
  {
    client_id: "service",
    client_secret: "service-secret",
    token_endpoint_auth_method: "client_secret_basic",
    grant_types: ["client_credentials"],
    response_types: [],
    redirect_uris: [],
  },
  {
    client_id: "web",
    token_endpoint_auth_method: "none",
    grant_types: ["authorization_code"],
    response_types: ["code"],
    redirect_uris: [`http://${HOST}/callback`],
  },
];

async function main() {
  const { port, keysFile, setupFile } = readArguments();
  checkRuntime();
  if (setupFile) Object.assign(SETUP, readSetup(setupFile));
  const firstKeys = keysFile && existsSync(keysFile) ? readKeys(keysFile) : await newKeys(keysFile);

  const server = createServer();
  stopWhenAsked(server);
  await listen(server, port);
  const issuer = `http://${HOST}:${server.address().port}`;

  const records = new Map();
  let provider = startProvider(issuer, firstKeys, records);

  const controls = {
    "POST /control/rotate": async () => {
      const keys = await newKeys(keysFile);
      // Another provider, as one takes its keys only when it is made.
      provider = startProvider(issuer, keys, records);
      return { kids: keys.map((key) => key.kid) };
    },
  };

  server.on("request", async (request, response) => {
    const name = `${request.method} ${request.url}`;
    try {
      const { pathname } = new URL(request.url, issuer);
      if (pathname.startsWith("/control/")) {
        await answerControl(controls, name, response);
        return;
      }
      if (pathname.startsWith("/interaction/")) await answerInteraction(provider, request, response);
      else await provider.callback()(request, response);
    } catch (error) {
      answerJson(response, 500, { error: `${name}: ${error.message}` });
    }
  });
  process.stdout.write(`${JSON.stringify({ issuer, control: `${issuer}/control` })}\n`);
}

function readArguments() {
  let values;
  try {
    ({ values } = parseArgs({
      options: { port: { type: "string" }, keys: { type: "string" }, setup: { type: "string" } },
    }));
  } catch (error) {
    fail(`${error.message}\n${USAGE}`, 2);
  }
  if (!/^\d{1,5}$/.test(values.port ?? "") || Number(values.port) > 65535) fail(USAGE, 2);
  return { port: Number(values.port), keysFile: values.keys, setupFile: values.setup };
}

function readSetup(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    fail(`cannot read the setup in ${file}: ${error.message}`);
  }
}

// oidc-provider warns that it wants Node 22. The last versions of Node 20 have what it uses of
// that; where they do not, it would fail in the midst of a test, and not say why.
function checkRuntime() {
  if (typeof URL.parse !== "function" || typeof crypto.hash !== "function") {
    fail(`needs Node 22, or a late version of Node 20; this is ${process.version}`);
  }
}

function readKeys(file) {
  let keys;
  try {
    ({ keys } = JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    fail(`cannot read the keys in ${file}: ${error.message}`);
  }
  const found = Array.isArray(keys) ? keys.map((key) => key?.alg) : [];
  const missing = ALGORITHMS.filter((algorithm) => !found.includes(algorithm));
  if (missing.length) fail(`no key for ${missing.join(", ")} in ${file}`);
  return keys;
}

async function newKeys(file) {
  const keys = await Promise.all(ALGORITHMS.map(newKey));
  if (file) {
    // Renamed when whole: the process may be killed while it writes.
    const unfinished = `${file}.${process.pid}`;
    try {
      writeFileSync(unfinished, JSON.stringify({ keys }, null, 1), { mode: 0o600 });
      renameSync(unfinished, file);
    } catch (error) {
      throw new Error(`cannot write the keys to ${file}: ${error.message}`);
    }
  }
  return keys;
}

async function newKey(alg) {
  const { privateKey } = await promisify(crypto.generateKeyPair)(...KEY_TYPES[alg]);
  return { ...privateKey.export({ format: "jwk" }), kid: crypto.randomUUID(), alg, use: "sig" };
}

function startProvider(issuer, keys, records) {
  const provider = new Provider(issuer, {
    jwks: { keys },
    clients: [...CLIENTS, ...SETUP.clients],
    adapter: (model) => new MemoryAdapter(model, records),
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    extraTokenClaims: (_context, token) => (token.accountId ? SETUP.claims : undefined),
    ttl: Object.fromEntries(LIMITED.map((model) => [model, SETUP.lifetime])),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_context, resource) => resourceServer(resource),
      },
    },
  });
  provider.on("server_error", (_context, error) => console.error(error));
  return provider;
}

// Each algorithm has a resource of its own, as it is for a resource that tokens are made.
function resourceServer(resource) {
  if (Object.hasOwn(SETUP.resources, resource)) {
    return { ...SETUP.resources[resource], accessTokenFormat: "jwt", jwt: { sign: { alg: "RS256" } } };
  }
  const alg = ALGORITHMS.find((algorithm) => resource === `urn:orders:${algorithm}`);
  if (!alg) throw new errors.InvalidTarget();
  return { audience: AUDIENCE, scope: SCOPES, accessTokenFormat: "jwt", jwt: { sign: { alg } } };
}

// What the provider remembers, kept apart from it since it has to outlive a rotation. The provider
// itself checks whether what it finds here has expired.
class MemoryAdapter {
  constructor(model, records) {
    this.model = model;
    this.records = records;
  }

  keyOf(id) {
    return `${this.model} ${id}`;
  }

  async upsert(id, record) {
    this.records.set(this.keyOf(id), record);
  }

  async find(id) {
    return this.records.get(this.keyOf(id));
  }

  // Asked for sessions only.
  async findByUid(uid) {
    return [...this.records.values()].find((record) => record.kind === this.model && record.uid === uid);
  }

  async consume(id) {
    this.records.get(this.keyOf(id)).consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    this.records.delete(this.keyOf(id));
  }

  async revokeByGrantId(grantId) {
    for (const [key, record] of this.records) {
      if (record.grantId === grantId) this.records.delete(key);
    }
  }
}

// The pages to log in and to consent, answered by the user's and not by a form: the account, and yes.
async function answerInteraction(provider, request, response) {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  if (prompt.name === "login") {
    await provider.interactionFinished(request, response, { login: { accountId: SETUP.account } });
    return;
  }
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  const { missingOIDCScope = [], missingOIDCClaims = [], missingResourceScopes = {} } = prompt.details;
  grant.addOIDCScope(missingOIDCScope.join(" "));
  grant.addOIDCClaims(missingOIDCClaims);
  for (const [resource, scopes] of Object.entries(missingResourceScopes)) {
    grant.addResourceScope(resource, scopes.join(" "));
  }
  await provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
}

async function answerControl(controls, name, response) {
  const control = controls[name];
  if (control) answerJson(response, 200, (await control()) ?? {});
  else answerJson(response, 404, { error: `no ${name}, only ${Object.keys(controls).join(", ")}` });
}

function answerJson(response, status, body) {
  if (status >= 500) console.error(body.error);
  if (response.headersSent) response.destroy();
  else response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function listen(server, port) {
  return new Promise((resolve) => {
    server.once("error", (error) => fail(`cannot listen at ${HOST}:${port}: ${error.message}`));
    server.listen(port, HOST, resolve);
  });
}

function stopWhenAsked(server) {
  const stop = (why) => {
    console.error(`provider.mjs: ${why}, so it stops`);
    server.close(() => process.exit(0));
    // Idle connections would else keep the server up.
    server.closeAllConnections();
  };
  process.once("SIGTERM", () => stop("SIGTERM came"));
  process.once("SIGINT", () => stop("SIGINT came"));
  process.stdin.once("error", () => stop("stdin failed"));
  process.stdin.once("end", () => stop("stdin was closed"));
  process.stdin.resume();
}

function fail(message, status = 1) {
  console.error(message.startsWith("usage") ? message : `provider.mjs: ${message}`);
  process.exit(status);
}

try {
  await main();
} catch (error) {
  fail(error.message);
}
