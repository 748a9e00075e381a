// Gets one access token from the provider of provider.mjs, the way a client would.
//
//     node tokens.mjs ISSUER client_credentials|authorization_code RS256|PS256|ES256|EdDSA
//     node tokens.mjs ISSUER GRANT --resource URN --scope SCOPES [--client ID] [--secret SECRET]
//
// Prints {"access_token": …, "header": …, "claims": …}. With client_credentials it is the client
// `service` that gets a token for itself. With authorization_code it is the client `web`, for the
// provider's one user, whose browser this plays as well. The second form is for what the setup of the
// provider adds.

import { createHash, randomBytes } from "node:crypto";
import { parseArgs } from "node:util";

const USAGE = `usage: node tokens.mjs ISSUER client_credentials|authorization_code ALGORITHM
       node tokens.mjs ISSUER GRANT --resource URN --scope SCOPES [--client ID] [--secret SECRET]`;
const REDIRECT_URI = "http://127.0.0.1/callback";
const CLIENTS = {
  client_credentials: { client: "service", secret: "service-secret" },
  authorization_code: { client: "web" },
};
const PATIENCE = 10_000;
const MOST_REDIRECTS = 10;

const GRANTS = { client_credentials: withClientCredentials, authorization_code: withAuthorizationCode };

async function main(arguments_) {
  const { values, positionals } = parseArgs({
    args: arguments_,
    allowPositionals: true,
    options: Object.fromEntries(
      ["resource", "scope", "client", "secret"].map((name) => [name, { type: "string" }]),
    ),
  });
  const [issuer, grant, algorithm, ...more] = positionals;
  const asked = algorithm
    ? { resource: `urn:orders:${algorithm}`, scope: "orders:read", ...values }
    : values;
  if (!issuer || !Object.hasOwn(GRANTS, grant) || !asked.resource || !asked.scope || more.length) {
    console.error(USAGE);
    process.exitCode = 2;
    return;
  }
  const configuration = await discover(issuer);
  const token = await GRANTS[grant](configuration, { ...CLIENTS[grant], ...asked });
  const [header, claims] = token.split(".").slice(0, 2).map(decode);
  console.log(JSON.stringify({ access_token: token, header, claims }));
}

async function discover(issuer) {
  const configuration = await json(await request(`${issuer}/.well-known/openid-configuration`));
  if (configuration.issuer !== issuer) {
    throw new Error(`the issuer says it is ${configuration.issuer}, not ${issuer}`);
  }
  return configuration;
}

function withClientCredentials(configuration, { client, secret, resource, scope }) {
  const credentials = Buffer.from(`${client}:${secret}`).toString("base64");
  return requestToken(
    configuration,
    { grant_type: "client_credentials", resource, scope },
    { authorization: `Basic ${credentials}` },
  );
}

async function withAuthorizationCode(configuration, { client, resource, scope }) {
  const verifier = randomBytes(32).toString("base64url");
  const state = randomBytes(16).toString("base64url");
  const url = new URL(configuration.authorization_endpoint);
  url.search = new URLSearchParams({
    response_type: "code",
    client_id: client,
    redirect_uri: REDIRECT_URI,
    scope: scope.split(" ").includes("openid") ? scope : `openid ${scope}`,
    resource,
    state,
    nonce: randomBytes(16).toString("base64url"),
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  const answer = await browse(url);
  if (answer.has("error")) throw new Error(`authorization: ${describe(Object.fromEntries(answer))}`);
  if (answer.get("state") !== state) throw new Error("authorization: the state is not the one that was sent");
  return requestToken(configuration, {
    grant_type: "authorization_code",
    client_id: client,
    redirect_uri: REDIRECT_URI,
    code: answer.get("code"),
    code_verifier: verifier,
    resource,
  });
}

async function requestToken({ token_endpoint: endpoint }, parameters, headers = {}) {
  const options = { method: "POST", body: new URLSearchParams(parameters), headers };
  const { access_token: token } = await json(await request(endpoint, options));
  if (token?.split(".").length !== 3) throw new Error(`${endpoint}: the access token is no JWT: ${token}`);
  return token;
}

// Follows the redirects, with cookies, up to the one that would leave for the client: its
// parameters are the answer to the authorization request.
async function browse(start) {
  const cookies = new Map();
  let url = start;
  for (let redirects = 0; redirects < MOST_REDIRECTS; redirects += 1) {
    const headers = { cookie: cookieHeader(cookies, url) };
    const response = await request(url, { redirect: "manual", headers });
    const location = response.headers.get("location");
    if (!location) throw new Error(`${url}: ${response.status} and no redirect: ${await response.text()}`);
    keepCookies(cookies, response);
    url = new URL(location, url);
    if (url.href.startsWith(REDIRECT_URI)) return url.searchParams;
  }
  throw new Error(`more than ${MOST_REDIRECTS} redirects from ${start}`);
}

// By name and path both: the provider has several of one name, each for a page of its own.
function keepCookies(cookies, response) {
  for (const line of response.headers.getSetCookie()) {
    const [pair, ...attributes] = line.split(/;\s*/);
    const [name, value] = splitOnce(pair);
    const { path = "/", expires } = Object.fromEntries(
      attributes.map(splitOnce).map(([attribute, setting]) => [attribute.toLowerCase(), setting]),
    );
    const key = `${name} ${path}`;
    if (expires && Date.parse(expires) <= Date.now()) cookies.delete(key);
    else cookies.set(key, { name, value, path });
  }
}

function cookieHeader(cookies, { pathname }) {
  return [...cookies.values()]
    .filter(({ path }) => pathname === path || pathname.startsWith(path.endsWith("/") ? path : `${path}/`))
    .map(({ name, value }) => `${name}=${value}`)
    .join("; ");
}

function splitOnce(text) {
  const at = text.indexOf("=");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

async function request(url, options = {}) {
  try {
    return await fetch(url, { ...options, signal: AbortSignal.timeout(PATIENCE) });
  } catch (error) {
    // fetch says no more than that it failed: the reason is the cause.
    throw new Error(`${url}: ${error.cause?.message || error.cause?.code || error.message}`);
  }
}

async function json(response) {
  const text = await response.text();
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    throw new Error(`${response.url}: ${response.status}, and no JSON: ${text.slice(0, 200)}`);
  }
  if (!response.ok) throw new Error(`${response.url}: ${response.status} ${describe(body)}`);
  return body;
}

function describe({ error, error_description: description }) {
  return description ? `${error} (${description})` : `${error}`;
}

function decode(part) {
  return JSON.parse(Buffer.from(part, "base64url").toString());
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(`tokens.mjs: ${error.message}`);
  process.exitCode = 1;
}
