// An OpenID certified provider for the end-to-end tests, with its keys in the tests' hands.
//
// Prints one line of JSON when it listens: {"url", "versions": {"node", "oidc-provider", "jose"}}.
// Tokens: client credentials with `resource=https://gateway.example/<algorithm>`, or `…/opaque` for
// one that is introspected by the clients `gateway` (secret), `gateway-jwt` (private_key_jwt), and
// `gateway-signed` (secret); signed answers (RFC 9701) to that one are PS256, and to
// `gateway-symmetric` HS256, with its secret.
// Those of `certified` are bound to the certificate (DER, base64) of the header `client-certificate`,
// in which its TLS proxy would tell of it.
// `planner` and `assistant` exchange a token for one with which they act for its subject (RFC 8693).
//   GET /_ctl/sign-in?account=A {"access_token"} of a person for the client `chat`, as a sign-in ends
//   GET /_ctl/rotate            new signing keys; the old ones stay published
//   GET /_ctl/emergency         new signing keys, and the old ones are gone at once
//   GET /_ctl/drop-old          publish the newest keys only
//   GET /_ctl/jwks?down=1       key set and discovery answer 503; ?delay=N answers N milliseconds late;
//                               without either, all is well again
//                               ?introspection=1 lets introspection fail alike
//   GET /_ctl/stats             {"jwks", "introspection": requests so far, refused ones included}
//   GET /_ctl/client-key        the private key of `gateway-jwt`, a JWK
import { X509Certificate } from 'node:crypto';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';

import { createRemoteJWKSet, exportJWK, generateKeyPair, jwtVerify } from 'jose';
import Provider, { errors } from 'oidc-provider';

const AUDIENCE = 'llm-gateway';
const RESOURCES = 'https://gateway.example/';
const RESOURCE_ACCESS_KEY = 'https://gateway.example/api';
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'];
const SCOPE = 'llm:invoke';
const SECRET = 'gateway-secret/+ &';
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const OUTAGE = ['/jwks', '/.well-known/openid-configuration'];
const INTROSPECTION = '/token/introspection';

// What each client's tokens say about roles: flat, nested under a URL, nowhere.
const CLIENTS = {
  batch: { roles: ['basic_user'] },
  nested: { resource_access: { [RESOURCE_ACCESS_KEY]: { roles: ['basic_user'] } } },
  stranger: {},
  certified: { roles: ['basic_user'] },
};

const PEOPLE = { jane: { roles: ['basic_user'] } };
const AGENTS = ['planner', 'assistant'];

let generation = 0;
let keys = [];
let provider; // with the present keys
let answer; // of that provider
const acting = new WeakMap(); // tokens and what their `act` says
const outage = { down: false, delay: 0, introspection: false };
const stats = { jwks: 0, introspection: 0 };
let clientKey; // of the gateway itself

async function newKeys() {
  generation += 1;
  return Promise.all(
    ALGORITHMS.map(async (alg) => {
      const { privateKey } = await generateKeyPair(alg, { extractable: true });
      return { ...(await exportJWK(privateKey)), alg, use: 'sig', kid: `${alg}-${generation}` };
    }),
  );
}

// A provider's keys are fixed when it is made, so other keys are another provider.
function publish(issuer) {
  provider = new Provider(issuer, {
    jwks: { keys },
    clients: [
      ...Object.keys(CLIENTS).map((client_id) => ({
        ...client(client_id, ['client_credentials']),
        client_secret: `${client_id}-secret`,
        scope: SCOPE,
        tls_client_certificate_bound_access_tokens: client_id === 'certified',
      })),
      { ...client('chat', []), client_secret: 'chat-secret' },
      ...AGENTS.map((client_id) => ({
        ...client(client_id, [EXCHANGE]),
        client_secret: `${client_id}-secret`,
        scope: SCOPE,
      })),
      { ...client('gateway', []), client_secret: SECRET },
      ...Object.entries({ 'gateway-signed': 'PS256', 'gateway-symmetric': 'HS256' }).map(([name, alg]) => ({
        ...client(name, []),
        client_secret: SECRET,
        introspection_signed_response_alg: alg,
      })),
      {
        ...client('gateway-jwt', []),
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: { keys: [publicHalf(clientKey)] },
      },
    ],
    scopes: [SCOPE],
    enabledJWA: { introspectionSigningAlgValues: [...ALGORITHMS, 'HS256'] },
    extraTokenClaims: (_ctx, token) => ({
      ...(PEOPLE[token.accountId] ?? CLIENTS[token.clientId]),
      ...acting.get(token),
    }),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      mTLS: { enabled: true, certificateBoundAccessTokens: true, getCertificate: shownCertificate },
      introspection: { enabled: true, allowedPolicy: (_ctx, client) => client.clientId.startsWith('gateway') },
      jwtIntrospection: { enabled: true },
      revocation: { enabled: true, allowedPolicy: () => true },
      resourceIndicators: { enabled: true, getResourceServerInfo: resourceServer },
    },
  });
  const parameters = ['subject_token', 'subject_token_type', 'resource'];
  provider.registerGrantType(EXCHANGE, exchange, parameters);
  answer = provider.callback();
}

// A person's token for a client; `resource` as above.
function tokenOf(accountId, client, resource) {
  const token = new provider.AccessToken({ accountId, client, scope: SCOPE });
  token.resourceServer = new provider.ResourceServer(resource, resourceServer(undefined, resource));
  return token;
}

// Delegation: the client that asks becomes the actor, whoever acted before stands within it.
async function exchange(ctx) {
  const { client, params } = ctx.oidc;
  if (params.subject_token_type !== ACCESS_TOKEN) throw new errors.InvalidRequest();
  const { sub, act } = await saidBy(params.subject_token);
  const token = tokenOf(sub, client, params.resource);
  acting.set(token, { act: { sub: client.clientId, ...(act && { act }) } });
  ctx.body = {
    access_token: await token.save(),
    issued_token_type: ACCESS_TOKEN,
    token_type: 'Bearer',
    expires_in: token.expiration,
  };
}

async function saidBy(token) {
  const opaque = await provider.AccessToken.find(token);
  if (opaque) return { sub: opaque.accountId, act: opaque.extra.act };
  const keySet = createRemoteJWKSet(new URL('/jwks', issuer));
  try {
    return (await jwtVerify(token, keySet, { issuer })).payload;
  } catch {
    throw new errors.InvalidGrant('the subject token is none of ours');
  }
}

function client(client_id, grant_types) {
  return { client_id, grant_types, redirect_uris: [], response_types: [] };
}

function shownCertificate(ctx) {
  const told = ctx.get('client-certificate');
  return told ? new X509Certificate(Buffer.from(told, 'base64')) : undefined;
}

function publicHalf({ d: _private, ...jwk }) {
  return jwk;
}

// One resource an algorithm, all with the gateway's audience, and one that is somebody else's.
function resourceServer(_ctx, resource) {
  const name = resource.startsWith(RESOURCES) ? resource.slice(RESOURCES.length) : '';
  const known = ALGORITHMS.includes(name) || name === 'opaque';
  if (!known && name !== 'elsewhere') throw new errors.InvalidTarget();
  return {
    scope: SCOPE,
    audience: known ? AUDIENCE : name,
    accessTokenFormat: name === 'opaque' ? 'opaque' : 'jwt',
    accessTokenTTL: 300,
    jwt: { sign: { alg: ALGORITHMS.includes(name) ? name : 'RS256' } },
  };
}

async function control(url) {
  switch (url.pathname) {
    case '/_ctl/rotate':
      keys = [...(await newKeys()), ...keys];
      break;
    case '/_ctl/emergency':
      keys = await newKeys();
      break;
    case '/_ctl/drop-old':
      keys = keys.slice(0, ALGORITHMS.length);
      break;
    case '/_ctl/jwks':
      outage.down = url.searchParams.get('down') === '1';
      outage.delay = Number(url.searchParams.get('delay') ?? 0);
      outage.introspection = url.searchParams.get('introspection') === '1';
      return outage;
    case '/_ctl/stats':
      return stats;
    case '/_ctl/sign-in': {
      const chat = await provider.Client.find('chat');
      const token = tokenOf(url.searchParams.get('account'), chat, `${RESOURCES}RS256`);
      return { access_token: await token.save() };
    }
    case '/_ctl/client-key':
      return clientKey;
    default:
      return undefined;
  }
  publish(url.origin);
  return keys.map(({ kid }) => kid);
}

function json(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function handle(request, response) {
  const url = new URL(request.url, issuer);
  if (url.pathname.startsWith('/_ctl/')) {
    const done = await control(url);
    return json(response, done ? 200 : 404, done ?? { error: 'not_found' });
  }
  if (url.pathname === '/jwks') stats.jwks += 1;
  if (url.pathname === INTROSPECTION) stats.introspection += 1;
  if (OUTAGE.includes(url.pathname) || (outage.introspection && url.pathname === INTROSPECTION)) {
    if (outage.delay) await delay(outage.delay);
    if (outage.down) return json(response, 503, { error: 'temporarily_unavailable' });
  }
  return answer(request, response);
}

const server = createServer((request, response) => {
  handle(request, response).catch((error) => json(response, 500, { error: String(error) }));
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const issuer = `http://127.0.0.1:${server.address().port}`;
keys = await newKeys();
const { privateKey } = await generateKeyPair('ES256', { extractable: true });
clientKey = { ...(await exportJWK(privateKey)), alg: 'ES256', kid: 'of-the-gateway' };
publish(issuer);

const installed = createRequire(import.meta.url)('./package-lock.json').packages;
const version = (name) => installed[`node_modules/${name}`].version;
console.log(
  JSON.stringify({
    url: issuer,
    versions: {
      node: process.versions.node,
      'oidc-provider': version('oidc-provider'),
      jose: version('jose'),
    },
  }),
);
