// The story of a cluster. Each case prints what it counted; a wrong answer fails it.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as client from 'openid-client';
import { createRemoteJWKSet } from 'jose';
import { test } from '../support/cases.mjs';
import { refused } from '../client/openid-client/relying-party.mjs';
import { Counts, Used, signsIn, verifies } from './load.mjs';
import { Nginx, Node, Postgres, Redis, freePort, until } from './servers.mjs';

const PROGRAM = process.env.SYMBOLON_PROGRAM;
if (!PROGRAM || !existsSync(PROGRAM)) throw new Error('SYMBOLON_PROGRAM must name the built program; `tests/all cluster` does that');

// The program of an earlier release, whose nodes are replaced under load; without it, the same program is.
const PREVIOUS = process.env.SYMBOLON_PREVIOUS || PROGRAM;

const folder = mkdtempSync(join(tmpdir(), 'symbolon-cluster.'));
chmodSync(folder, 0o755);
const servers = [];
const REDIRECT = 'https://shop.example/cb';
const PASSWORD = 'correct horse battery staple';

async function main() {
  const postgres = await Postgres.make(folder);
  servers.push(postgres);
  const redis = await Redis.make(folder);
  servers.push(redis);
  const port = await freePort();
  const issuer = `http://localhost:${port}`;
  const settings = (node) => `
    issuer = "${issuer}"
    [server]
    listen = "127.0.0.1:${node.port}"
    operations = "127.0.0.1:${node.operations}"
    trusted_proxies = ["127.0.0.1"]
    [database]
    url = "${postgres.url}"
    [ephemeral]
    url = "${redis.url}"
    [keys]
    master_key_file = "${join(folder, 'master.key')}"
  `;
  const nodes = [await Node.make(folder, 1, settings, PREVIOUS), await Node.make(folder, 2, settings, PREVIOUS)];
  servers.push(...nodes);
  await test('two nodes start at once on an empty database', async () => {
    const took = await Promise.all(nodes.map((node) => node.begin()));
    console.log(`   ready after ${took.join(' and ')} ms`);
  });
  const nginx = await Nginx.make(folder, port, nodes);
  servers.unshift(nginx);

  const accounts = ['alice', 'bob', 'carol', 'dave'].map((username) => ({ username, password: PASSWORD }));
  for (const { username } of accounts) nodes[0].runsWith(`${PASSWORD}\n`, 'user', 'create', username);
  const shop = nodes[0].runs('client', 'create', 'Shop', '--type', 'web', '--redirect-uri', REDIRECT);
  const robot = nodes[1].runs('client', 'create', 'Robot', '--type', 'service');
  const options = { execute: [client.allowInsecureRequests] };
  const load = {
    issuer,
    redirectUri: REDIRECT,
    ends: false,
    counts: new Counts(),
    used: new Used(),
    keys: createRemoteJWKSet(new URL(`${issuer}/oauth2/jwks`)),
    config: await client.discovery(new URL(issuer), shop.client_id, undefined, client.ClientSecretBasic(shop.client_secret), options),
    service: await client.discovery(new URL(issuer), robot.client_id, undefined, client.ClientSecretBasic(robot.client_secret), options),
  };
  const began = Date.now();
  const people = accounts.map((account) => signsIn(load, account));

  /** Runs a case under load; afterwards flows go on without interruption. */
  const under = (name, story, { interruptions = 'allowed' } = {}) => test(name, async () => {
    const before = load.counts.copy();
    const told = await story();
    const { flows, interrupted, wrong } = load.counts.since(before);
    if (process.env.SYMBOLON_TRACE) console.log(load.counts.reasons());
    console.log(`   ${flows} flows, ${interrupted} interrupted, ${wrong.length} wrong${told ? `; ${told}` : ''}`);
    assert.deepEqual([...new Set(wrong)].slice(0, 5), []);
    if (interruptions === 'none') assert.equal(interrupted, 0);
  });
  const flows = async (more = 4) => {
    const [start, began] = [load.counts.flows, Date.now()];
    await until('flows go on', () => load.counts.flows >= start + more, 20);
    return Date.now() - began;
  };

  await under('sign-ins, redemptions, refreshes and revocations on both nodes', () => flows(12).then(() => ''), { interruptions: 'none' });

  await under('both nodes are replaced by this release, one after the other', async () => {
    const migrations = () => Number(postgres.psql('SELECT COUNT(*) FROM _sqlx_migrations'));
    const before = migrations();
    const took = [];
    for (const node of nodes) {
      const told = Date.now();
      const { code } = await node.stop('SIGTERM');
      assert.equal(code, 0, node.log().slice(-500));
      took.push(Date.now() - told);
      node.becomes(PROGRAM);
      await node.begin();
      // Both releases on the schema of the new one, while only one of the nodes is replaced.
      await flows(4);
    }
    const release = PREVIOUS === PROGRAM ? 'the same program' : 'an earlier one';
    return `${release} ended after ${took.join(' and ')} ms; ${before} migrations became ${migrations()}`;
  }, { interruptions: 'none' });

  await under('a node is killed and comes back', async () => {
    let back = 0;
    for (const node of [nodes[1], nodes[0], nodes[1]]) {
      await node.stop('SIGKILL');
      await flows(2);
      back = Math.max(back, await node.begin());
    }
    await flows();
    return `three kills, ready again after ${back} ms at most`;
  });

  await under('Redis is flushed, killed, away, and back', async () => {
    await flows(2);
    await redis.asks('FLUSHALL');
    await flows(2);
    await redis.stop('SIGKILL');
    const without = await flows(4);
    await redis.begin();
    await flows(4);
    return `four flows in ${without} ms without Redis`;
  });

  await under('PostgreSQL is restarted', async () => {
    await postgres.stop('SIGINT');
    await sleep(1000);
    await postgres.begin();
    const took = await flows(1);
    await flows(3);
    assert.ok(took < 8000, `${took} ms`);
    return `a whole flow ${took} ms after it was back`;
  });

  await under('keys rotate under load, and no verification fails', async () => {
    await until('next keys', () => postgres.psql("SELECT COUNT(*) FROM signing_key WHERE state = 'next'") === postgres.psql("SELECT COUNT(*) FROM signing_key WHERE state = 'active'"));
    // An hour passes for the keys, and in it every app reads them again.
    load.keys = createRemoteJWKSet(new URL(`${issuer}/oauth2/jwks`));
    postgres.psql('UPDATE signing_key SET created_at = created_at - 7200, activated_at = activated_at - 7200');
    const busy = verifies(load, 500, 8);
    await sleep(3000);
    const rotated = nodes[0].runs('key', 'rotate');
    const counts = await busy;
    assert.deepEqual([...new Set(counts.failed)], []);
    assert.equal(counts.kids.size, 2, `signed by ${[...counts.kids]}`);
    return `${rotated.signing.length} keys rotated, ${counts.tokens} tokens verified and ${counts.introspections} introspected at ${counts.rate} a second, 0 failed`;
  }, { interruptions: 'none' });

  load.ends = true;
  await Promise.all(people);

  await test('what is taken back on one node is gone on the other within a second', async () => {
    const at = async (node, path, fields) => {
      const authorization = `Basic ${Buffer.from(`${robot.client_id}:${robot.client_secret}`).toString('base64')}`;
      const answer = await fetch(`http://127.0.0.1:${node.port}${path}`, { method: 'POST', headers: { authorization, host: `localhost:${port}` }, body: new URLSearchParams(fields) });
      return answer.status === 200 ? answer.text() : assert.fail(`${path}: ${answer.status}`);
    };
    let slowest = 0;
    for (let round = 0; round < 10; round += 1) {
      const [one, two] = round % 2 ? nodes : [nodes[1], nodes[0]];
      const { access_token: token } = JSON.parse(await at(one, '/oauth2/token', { grant_type: 'client_credentials' }));
      assert.equal(JSON.parse(await at(two, '/oauth2/introspect', { token })).active, true);
      await at(one, '/oauth2/revoke', { token });
      const began = Date.now();
      await until('revoked', async () => JSON.parse(await at(two, '/oauth2/introspect', { token })).active === false, 1);
      slowest = Math.max(slowest, Date.now() - began);
    }
    console.log(`   ten revocations, the slowest felt after ${slowest} ms`);
  });

  await test('a node that was stopped believes nothing old when it goes on', async () => {
    const [one, two] = nodes;
    const { access_token: token } = await client.clientCredentialsGrant(load.service);
    const asks = async (node) => {
      const authorization = `Basic ${Buffer.from(`${robot.client_id}:${robot.client_secret}`).toString('base64')}`;
      const answer = await fetch(`http://127.0.0.1:${node.port}/oauth2/introspect`, { method: 'POST', headers: { authorization }, body: new URLSearchParams({ token }) });
      return { status: answer.status, active: answer.status === 200 && (await answer.json()).active };
    };
    assert.equal((await asks(two)).active, true);
    two.process.kill('SIGSTOP');
    // A signal takes a moment to arrive, and what is answered before it does was true.
    await until('it stands still', async () => (await readFile(`/proc/${two.process.pid}/stat`, 'utf8')).split(') ')[1].startsWith('T'), 5);
    // Asked while it stands still: the answer comes at the first moment after it.
    const early = Array.from({ length: 8 }, () => asks(two));
    const authorization = `Basic ${Buffer.from(`${robot.client_id}:${robot.client_secret}`).toString('base64')}`;
    const revoked = await fetch(`http://127.0.0.1:${one.port}/oauth2/revoke`, { method: 'POST', headers: { authorization }, body: new URLSearchParams({ token }) });
    assert.equal(revoked.status, 200);
    await sleep(1500);
    two.process.kill('SIGCONT');
    const answers = await Promise.all(early);
    assert.ok(answers.every(({ active }) => active === false), JSON.stringify(answers));
  });

  await test('nothing that was used or taken back is good again', async () => {
    for (const { token } of load.used.revoked.slice(-40)) assert.equal((await client.tokenIntrospection(load.config, token)).active, false);
    for (const token of load.used.refreshTokens.slice(-40)) await refused(client.refreshTokenGrant(load.config, token), 'invalid_grant');
    const codes = load.used.codes.slice(-60);
    for (const { answer, checks } of codes) await refused(client.authorizationCodeGrant(load.config, answer, checks), 'invalid_grant');
    console.log(`   ${codes.length} codes, ${Math.min(40, load.used.refreshTokens.length)} refresh tokens and ${Math.min(40, load.used.revoked.length)} access tokens stay refused`);
  });

  await test('no node panicked, and no secret is in a log', async () => {
    for (const node of nodes) {
      assert.ok(!node.log().includes('panicked'), node.log().slice(-800));
      for (const secret of [PASSWORD, shop.client_secret, robot.client_secret]) assert.ok(!node.log().includes(secret), `${node.name} logs a secret`);
    }
  });
  console.log(`   in all: ${load.counts.flows} flows in ${Math.round((Date.now() - began) / 1000)} s, ${load.counts.interrupted} interrupted and begun again, ${load.counts.wrong.length} wrong answers`);
}

try {
  await main();
} catch (error) {
  console.log(`FAIL the cluster: ${error.stack}`);
  process.exitCode = 1;
}
for (const server of servers) {
  server.process?.kill('SIGCONT');
  await server.stop(server instanceof Postgres ? 'SIGINT' : 'SIGTERM');
}
if (process.exitCode) console.log(`   the logs are in ${folder}`);
else if (!process.env.SYMBOLON_KEEP) rmSync(folder, { recursive: true, force: true });
process.exit();
