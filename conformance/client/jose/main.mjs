// Access tokens at a resource server that verifies with jose: a good one opens it, each other thing is refused.
import assert from 'node:assert/strict';
import { createHash, createHmac, createPublicKey } from 'node:crypto';
import * as jose from 'jose';
import { client, facts, test, user } from '../../support/cases.mjs';
import { Person } from '../../support/person.mjs';
import { resourceServer } from './resource-server.mjs';

const API = 'https://api.example.com';
const CALLBACK = 'http://localhost:47113/cb';
const server = facts();
const { issuer } = server;
const metadata = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();

const seeded = client(server, 'demo-api');
const good = (await token(seeded, { grant_type: 'client_credentials' })).access_token;
const header = jose.decodeProtectedHeader(good);
const claims = jose.decodeJwt(good);
const [, , signature] = good.split('.');
const { app, tokens } = await codeFlowTokens();
const orders = await resourceServer(issuer, API);
const foreign = await jose.generateKeyPair('RS256', { extractable: true });

await test('an access token for the API opens it', async () => {
  const { status, body } = await calls(orders, good);
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.client_id, seeded.client_id);
  assert.deepEqual([body.aud].flat(), [API]);
  assert.ok(header.kid && body.exp - body.iat <= 3600);
});

await test('no token: a challenge without an error code', async () => {
  const { status, challenge } = await calls(orders);
  assert.deepEqual([status, challenge], [401, 'Bearer']);
});

await test('an access token for another audience is refused', async () => {
  await isRefused(orders, tokens.access_token, 'ERR_JWT_CLAIM_VALIDATION_FAILED');
  await isRefused(await resourceServer(issuer, 'https://other.example.com'), good, 'ERR_JWT_CLAIM_VALIDATION_FAILED');
});

await test('resource (RFC 8707) names the API, and another resource is invalid_target', async () => {
  const asked = await token(seeded, { grant_type: 'client_credentials', resource: API });
  assert.equal((await calls(orders, asked.access_token)).status, 200);
  await assert.rejects(token(seeded, { grant_type: 'client_credentials', resource: 'https://other.example.com' }), /invalid_target/);
});

await test('an expired access token is refused', async () => {
  const left = claims.exp - Math.floor(Date.now() / 1000);
  await isRefused(await resourceServer(issuer, API, left + 1), good, 'ERR_JWT_EXPIRED');
  assert.equal((await calls(await resourceServer(issuer, API, left - 30), good)).status, 200);
});

await test('a token signed by another key is refused, under a known kid and under its own', async () => {
  const signs = (extra) => new jose.SignJWT(claims).setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: header.kid, ...extra }).sign(foreign.privateKey);
  await isRefused(orders, await signs({}), 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED');
  await isRefused(orders, await signs({ kid: 'mine' }), 'ERR_JWKS_NO_MATCHING_KEY');
  await isRefused(orders, await signs({ jwk: await jose.exportJWK(foreign.publicKey) }), 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED');
});

await test('an ID token used as access token is refused, even where its aud is expected', async () => {
  await isRefused(orders, tokens.id_token, 'ERR_JWT_CLAIM_VALIDATION_FAILED');
  await isRefused(await resourceServer(issuer, app.client_id), tokens.id_token, 'ERR_JWT_CLAIM_VALIDATION_FAILED');
});

await test('alg none is refused', async () => {
  for (const alg of ['none', 'None', 'NONE']) {
    const unsigned = `${part({ ...header, alg })}.${part(claims)}.`;
    await isRefused(orders, unsigned);
    await isRefused(orders, unsigned + signature);
  }
});

await test('HS256 with the public key as secret is refused', async () => {
  const { keys } = await (await fetch(metadata.jwks_uri)).json();
  const pem = createPublicKey({ key: keys.find(({ kid }) => kid === header.kid), format: 'jwk' }).export({ type: 'spki', format: 'pem' });
  const signed = `${part({ ...header, alg: 'HS256' })}.${part(claims)}`;
  await isRefused(orders, `${signed}.${createHmac('sha256', pem).update(signed).digest('base64url')}`, 'ERR_JOSE_ALG_NOT_ALLOWED');
});

await test('an altered payload is refused, and so is an altered signature', async () => {
  await isRefused(orders, `${good.split('.')[0]}.${part({ ...claims, sub: 'admin', exp: claims.exp + 86_400 })}.${signature}`, 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED');
  await isRefused(orders, good.slice(0, -8) + (good.endsWith('AAAAAAAA') ? 'BBBBBBBB' : 'AAAAAAAA'), 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED');
  await isRefused(orders, 'not.a.token');
});

await test('the JWKS holds public keys only, each with kid, use and alg', async () => {
  const response = await fetch(metadata.jwks_uri);
  assert.match(response.headers.get('cache-control') ?? '', /max-age=\d+/);
  const { keys } = await response.json();
  for (const key of keys) {
    assert.ok(key.kid && key.alg && key.use === 'sig', JSON.stringify(Object.keys(key)));
    for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) assert.equal(key[secret], undefined, `${key.kid} shows ${secret}`);
  }
  assert.equal(new Set(keys.map(({ kid }) => kid)).size, keys.length);
  for (const alg of ['RS256', 'ES256', 'EdDSA']) assert.ok(keys.some((key) => key.alg === alg), `no ${alg} key`);
});

async function calls(url, bearer) {
  const response = await fetch(url, { headers: bearer === undefined ? {} : { authorization: `Bearer ${bearer}` } });
  return { status: response.status, challenge: response.headers.get('www-authenticate'), body: await response.json() };
}

async function isRefused(url, bearer, why) {
  const { status, challenge, body } = await calls(url, bearer);
  assert.equal(status, 401, JSON.stringify(body));
  assert.ok(challenge.startsWith('Bearer error="invalid_token"'));
  if (why) assert.equal(body.why, why);
}

function part(value) {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

async function token({ client_id, client_secret }, form) {
  const authorization = `Basic ${btoa([client_id, client_secret].map(encodeURIComponent).join(':'))}`;
  const response = await fetch(metadata.token_endpoint, { method: 'POST', headers: { authorization }, body: new URLSearchParams(form) });
  const body = await response.json();
  assert.equal(response.status, 200, JSON.stringify(body));
  return body;
}

/** Alice signs in at an app that registers itself: the app and its tokens. */
async function codeFlowTokens() {
  const registration = { redirect_uris: [CALLBACK], grant_types: ['authorization_code'], response_types: ['code'], scope: 'openid email' };
  const response = await fetch(metadata.registration_endpoint, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(registration) });
  const registered = await response.json();
  assert.equal(response.status, 201, JSON.stringify(registered));
  const verifier = 'a-verifier-of-at-least-forty-three-characters-0123';
  const url = new URL(metadata.authorization_endpoint);
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: registered.client_id,
    redirect_uri: CALLBACK,
    scope: 'openid email',
    state: 's',
    nonce: 'n',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const landed = await new Person(user(server, 'alice')).visits(url, CALLBACK);
  const code = landed.searchParams.get('code');
  assert.ok(code, landed.search);
  return { app: registered, tokens: await token(registered, { grant_type: 'authorization_code', code, redirect_uri: CALLBACK, code_verifier: verifier }) };
}
