// The app of README.md, as somebody would run it: a process of its own, told by its environment who it is.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { test, user } from '../../support/cases.mjs';
import { Person } from '../../support/person.mjs';

export async function example(server) {
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  let app;

  await test('the app of README.md signs a person in', async () => {
    const { client_id, client_secret } = await registers(server.issuer, `${origin}/callback`);
    const env = { ...process.env, ISSUER: server.issuer, CLIENT_ID: client_id, CLIENT_SECRET: client_secret, PORT: String(port) };
    app = spawn(process.execPath, [new URL('app.mjs', import.meta.url).pathname], { env, stdio: 'inherit' });
    await answers(origin);
    const { location, cookie } = await begins(origin);
    const answer = await new Person(user(server, 'alice')).visits(location, `${origin}/callback`);
    assert.match(await (await fetch(answer, { headers: { cookie } })).text(), /^signed in as Alice/);
    assert.equal((await fetch(answer, { headers: { cookie } })).status, 400, 'the code works twice');
  });

  await test('the app of README.md believes no answer of another browser', async () => {
    const { location } = await begins(origin);
    const answer = await new Person(user(server, 'bob')).visits(location, `${origin}/callback`);
    const refused = await fetch(answer);
    assert.equal(refused.status, 400);
    assert.match(await refused.text(), /^not signed in/);
  });

  app?.kill();
}

async function registers(issuer, redirectUri) {
  const response = await fetch(`${issuer}/oauth2/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ client_name: 'My app', redirect_uris: [redirectUri] }),
  });
  assert.equal(response.status, 201);
  return response.json();
}

async function begins(origin) {
  const response = await fetch(`${origin}/sign-in`, { redirect: 'manual' });
  return { location: response.headers.get('location'), cookie: response.headers.get('set-cookie').split(';')[0] };
}

async function answers(origin) {
  for (let tries = 0; ; tries += 1) {
    const response = await fetch(origin).catch((error) => (tries < 100 ? undefined : Promise.reject(error)));
    if (response) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, 'localhost', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
