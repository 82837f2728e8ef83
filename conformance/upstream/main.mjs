// A shop signs people in by Symbolon, and Symbolon by an issuer elsewhere: oidc-provider, and a second Symbolon.
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Node, freePort } from '../cluster/servers.mjs';
import { test } from '../support/cases.mjs';
import { Person } from '../support/person.mjs';
import { FOREIGN, foreign } from './foreign.mjs';

const PROGRAM = process.env.SYMBOLON_PROGRAM;
if (!PROGRAM) throw new Error('SYMBOLON_PROGRAM must name the built program');
const REDIRECT = 'http://localhost:1/callback';
const PASSWORD = 'correct horse battery staple';

const folder = mkdtempSync(join(tmpdir(), 'symbolon-upstream.'));
const ends = [];
try {
  await stories();
} finally {
  for (const end of ends.reverse()) await end();
  rmSync(folder, { recursive: true, force: true });
}

async function stories() {
  const foreignPort = await freePort();
  // Cookies ignore ports: the second Symbolon goes by another host.
  const theirs = await server('theirs', '127.0.0.1', []);
  const ours = await server('ours', 'localhost', [`http://127.0.0.1:${foreignPort}`, theirs.issuer]);
  const back = (slug) => `${ours.issuer}/federation/${slug}/callback`;
  const issuer = await foreign(foreignPort, back('foreign'));
  ends.push(() => issuer.close());

  theirs.node.runsWith(`${PASSWORD}\n`, 'user', 'create', 'ursula', '--email', 'ursula@example.net', '--email-verified');
  const registered = theirs.node.runs('client', 'create', 'House', '--redirect-uri', back('symbolon'), '--development');
  const add = (slug, { issuer, client_id, client_secret, domain }) => {
    const file = join(folder, `${slug}.secret`);
    writeFileSync(file, client_secret, { mode: 0o600 });
    const words = ['--kind', 'oidc', '--issuer', issuer, '--client-id', client_id, '--secret-file', file];
    return ours.node.runs('provider', 'add', slug, ...words, '--label', slug, '--trust-domain', domain);
  };
  add('foreign', { issuer: issuer.issuer, ...FOREIGN, domain: 'example.org' });
  add('symbolon', { issuer: theirs.issuer, ...registered, domain: 'example.net' });
  const shop = { ...ours.node.runs('client', 'create', 'Shop', '--redirect-uri', REDIRECT, '--development'), issuer: ours.issuer };
  // A running server sees what was written beside it within half a second.
  await new Promise((resolve) => setTimeout(resolve, 1000));

  for (const slug of ['foreign', 'symbolon']) {
    await test(`symbolon provider test ${slug}: metadata, keys, client id and secret`, async () => {
      // Not `runs`: it waits, and the issuer is in this process.
      const { stdout } = await promisify(execFile)(PROGRAM, ['provider', 'test', slug, '--json'], { cwd: ours.node.folder });
      const found = JSON.parse(stdout);
      if (!found.ok || !/client id and secret/.test(found.found)) throw new Error(stdout);
    });
  }
  await test('by oidc-provider: a new person, known by issuer and sub', async () => {
    const first = await signsIn(shop, new Person({}), 'foreign');
    expect(first.person, { email: 'nora@example.org', email_verified: true, name: 'Nora Node' });
    expect(first.claims, { amr: ['fed'], iss: ours.issuer });
    const again = await signsIn(shop, new Person({}), 'foreign');
    if (again.claims.sub !== first.claims.sub) throw new Error('the same person got another account');
    if (first.claims.sub === 'nora-0815') throw new Error('who she is there is told here');
  });
  await test('by a second Symbolon: through its sign-in and consent and back', async () => {
    const person = new Person({ username: 'ursula', password: PASSWORD });
    const first = await signsIn(shop, person, 'symbolon');
    expect(first.person, { email: 'ursula@example.net', email_verified: true });
    const again = await signsIn(shop, new Person({ username: 'ursula', password: PASSWORD }), 'symbolon');
    if (again.claims.sub !== first.claims.sub) throw new Error('the same person got another account');
  });
  await test('an issuer that is gone fails alone', async () => {
    await issuer.close();
    await signsIn(shop, new Person({ username: 'ursula', password: PASSWORD }), 'symbolon');
  });
}

async function server(name, host, allow) {
  const node = await Node.make(folder, name, ({ port, operations }) => `
    issuer = "http://${host}:${port}"
    [server]
    listen = "127.0.0.1:${port}"
    operations = "127.0.0.1:${operations}"
    [fetch]
    allow = ${JSON.stringify(allow)}
  `, PROGRAM);
  await node.begin();
  ends.push(() => node.stop('SIGTERM'));
  return { node, issuer: `http://${host}:${node.port}` };
}

/** The shop's whole code flow: what the ID token says, and what UserInfo tells. */
async function signsIn(shop, person, slug) {
  const verifier = randomBytes(32).toString('base64url');
  const state = randomBytes(16).toString('base64url');
  const url = new URL(`${shop.issuer}/oauth2/authorize`);
  url.search = new URLSearchParams({
    response_type: 'code', client_id: shop.client_id, redirect_uri: REDIRECT, scope: 'openid email profile', state,
    nonce: state, idp_hint: slug, code_challenge_method: 'S256',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  });
  const landed = await person.visits(url, REDIRECT);
  const answer = landed.searchParams;
  if (answer.get('state') !== state || !answer.get('code')) throw new Error(`the shop got ${landed}`);
  const basic = Buffer.from(`${shop.client_id}:${encodeURIComponent(shop.client_secret)}`).toString('base64');
  const body = new URLSearchParams({ grant_type: 'authorization_code', code: answer.get('code'), redirect_uri: REDIRECT, code_verifier: verifier });
  const tokens = await (await fetch(`${shop.issuer}/oauth2/token`, { method: 'POST', body, headers: { authorization: `Basic ${basic}` } })).json();
  if (!tokens.id_token) throw new Error(`no tokens: ${JSON.stringify(tokens)}`);
  const claims = JSON.parse(Buffer.from(tokens.id_token.split('.')[1], 'base64url'));
  const userinfo = await fetch(`${shop.issuer}/oauth2/userinfo`, { headers: { authorization: `Bearer ${tokens.access_token}` } });
  return { claims, person: await userinfo.json() };
}

function expect(found, wanted) {
  for (const [name, value] of Object.entries(wanted)) {
    if (JSON.stringify(found[name]) !== JSON.stringify(value)) throw new Error(`${name} is ${JSON.stringify(found[name])}, not ${JSON.stringify(value)}`);
  }
}
