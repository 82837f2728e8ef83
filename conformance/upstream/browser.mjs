// A person at Chromium: demo app → Symbolon → stand-in of Google, and of Apple with its form_post → back → signed in.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { getsTo, onward } from '../browser/visitor.mjs';
import { freePort } from '../cluster/servers.mjs';
import { test } from '../support/cases.mjs';
import { complaints, launches } from '../support/chromium.mjs';
import { CLIENT_ID, KEY_ID, TEAM_ID, standIn } from './stand-ins.mjs';

const PROGRAM = process.env.SYMBOLON_PROGRAM;
if (!PROGRAM) throw new Error('SYMBOLON_PROGRAM must name the built program');

const folder = mkdtempSync(join(tmpdir(), 'symbolon-upstream.'));
const ends = [];
try {
  await stories();
} finally {
  for (const end of ends.reverse()) await end();
  rmSync(folder, { recursive: true, force: true });
}

async function stories() {
  const google = await standIn('google', await freePort(), {
    sub: '110248495921238986420', email: 'carol@gmail.com', email_verified: true, firstName: 'Carol', lastName: 'Danvers',
  });
  const apple = await standIn('apple', await freePort(), {
    // Texts for booleans, and an address that relays.
    sub: '001234.ab', email: 'x7@privaterelay.appleid.com', email_verified: 'true', is_private_email: 'true', firstName: 'Dora', lastName: 'Apfel',
  });
  ends.push(() => google.close(), () => apple.close());
  const server = await develops();
  const add = async (slug, { issuer, secret }, ...more) => {
    const file = join(folder, `${slug}.secret`);
    writeFileSync(file, secret, { mode: 0o600 });
    await server.runs('provider', 'add', slug, '--issuer', issuer, '--client-id', CLIENT_ID, '--secret-file', file, ...more);
  };
  await add('google', google);
  await add('apple', apple, '--team-id', TEAM_ID, '--key-id', KEY_ID);
  // A running server sees what was written beside it within half a second.
  await new Promise((resolve) => setTimeout(resolve, 1000));

  const browser = await launches(chromium);
  ends.push(() => browser.close());
  for (const [slug, there, name] of [['google', google, 'Carol'], ['apple', apple, 'Dora']]) {
    const context = await browser.newContext();
    context.setDefaultTimeout(15_000);
    const complained = complaints(context);
    const page = await context.newPage();
    await test(`demo app → Symbolon → ${slug} → back → signed in`, async () => {
      await comes(page, server, { slug, there });
      const told = await page.locator('#signed-in-as').innerText();
      assert.match(told, new RegExp(`signed in as .*${name}`, 'i'));
    });
    await test(`${slug}: the same person again has the same account, and the button is marked`, async () => {
      const before = (await exchanges(page)).match(/"sub":\s*"([^"]+)"/)?.[1];
      // Signed out everywhere; what stays is which button was used last.
      await context.clearCookies({ name: /^(?!.*provider)/ });
      await comes(page, server, { slug, there, marked: true });
      assert.equal((await exchanges(page)).match(/"sub":\s*"([^"]+)"/)?.[1], before);
      assert.match(await page.locator('#signed-in-as').innerText(), new RegExp(name), 'the name stays, though Apple tells it once');
    });
    await test(`${slug}: no page of ours complained`, () => assert.deepEqual(complained.filter((what) => !what.includes(there.issuer)), []));
    await context.close();
  }
}

/** From the demo app by the button of the provider to the demo app, signed in. */
async function comes(page, server, { slug, there, marked }) {
  await page.goto(server.facts.demo);
  await onward(page, () => page.locator('#demo-sign-in').click());
  const button = page.locator(`#provider-${slug}`);
  if (marked) assert.notEqual(await page.locator('#provider-last').count(), 0, 'the last used button has no mark');
  await onward(page, () => button.click());
  assert.equal(new URL(page.url()).origin, new URL(there.issuer).origin);
  await onward(page, () => page.locator('#continue').click());
  await getsTo(page, new URL(server.facts.demo).origin, {});
  await page.locator('#signed-in-as').waitFor();
}

async function exchanges(page) {
  return (await page.locator('.exchange').allTextContents()).join('\n');
}

/** `symbolon dev` with a folder of its own, at any free ports. */
async function develops() {
  const data = join(folder, 'data');
  const process = spawn(PROGRAM, ['dev', '--json', '--data', data, '--port', '0'], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  ends.push(() => new Promise((resolve) => { process.on('exit', resolve); process.kill('SIGTERM'); }));
  const lines = createInterface({ input: process.stdout });
  const line = await new Promise((resolve, reject) => {
    lines.once('line', resolve);
    process.once('exit', (code) => reject(new Error(`symbolon dev ended with ${code}`)));
  });
  const facts = JSON.parse(line);
  const environment = {
    ...globalThis.process.env,
    SYMBOLON__ISSUER: facts.issuer,
    SYMBOLON__DATABASE__PATH: join(data, 'symbolon.db'),
    SYMBOLON__KEYS__MASTER_KEY_FILE: join(data, 'master.key'),
  };
  const runs = (...words) => promisify(execFile)(PROGRAM, [...words, '--json'], { cwd: folder, env: environment });
  return { facts, runs };
}
