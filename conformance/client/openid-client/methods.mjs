// Each way to sign in, in the whole authorization flow: what the app reads of it in amr and acr (RFC 8176, OIDC Core §2).
import assert from 'node:assert/strict';
import { createHmac, randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import * as client from 'openid-client';
import { test } from '../../support/cases.mjs';
import { hasId, links, text } from '../../support/html.mjs';
import { Person } from '../../support/person.mjs';
import { RelyingParty } from './relying-party.mjs';

const PASSWORD = 'correct horse battery staple';
const ONE = 'urn:symbolon:acr:1';
const TWO = 'urn:symbolon:acr:2';

export async function methods(server) {
  const app = await test('an app registers to read how people sign in', () => RelyingParty.registers(server.issuer));
  if (!app) return;
  const mailbox = async (to) => (await (await fetch(server.messages)).json()).filter((message) => message.to === to);

  /** What comes to an address by what `acts` does. */
  const receives = async (to, acts) => {
    const before = (await mailbox(to)).length;
    const page = await acts();
    for (let tries = 0; tries < 100; tries += 1) {
      const messages = await mailbox(to);
      if (messages.length > before) return { page, message: messages.at(-1).text };
      await pause(100);
    }
    throw new Error(`nothing came to ${to}: ${text(page.html).slice(0, 300)}`);
  };
  const digits = (message) => message.match(/\b\d{6}\b/)[0];
  const follows = (person, page, is) => {
    const link = links(page.html).find(is);
    assert.ok(link, `no such link at ${page.url}: ${text(page.html).slice(0, 300)}`);
    return person.opens(new URL(link.href, page.url), app.redirectUri);
  };

  /** Somebody new, with an account that was made on the pages. */
  const newcomer = async (by, contact) => {
    const person = new Person({ username: contact, password: PASSWORD });
    const form = await person.opens(`${server.issuer}/register${by === 'phone' ? '?by=phone' : ''}`);
    const { page, message } = await receives(contact, () => person.submits(form, 'register-submit', { [by]: contact, password: PASSWORD }));
    await person.submits(page, 'code-submit', { code: digits(message) });
    return person;
  };

  /** The whole flow of somebody in a browser of their own; `proves` leads from the page of the sign-in to what comes after it. */
  const claims = async (person, proves) => {
    const { url, checks } = await app.asks();
    let page = await proves(await person.opens(url, app.redirectUri), person);
    if (!page.landed) {
      assert.ok(hasId(page.html, 'consent-accept'), `no consent at ${page.url} (${page.status}): ${text(page.html).slice(0, 300)}`);
      page = await person.submits({ ...page, redirectUri: app.redirectUri }, 'consent-accept');
    }
    const tokens = await client.authorizationCodeGrant(app.config, page.landed, checks);
    return tokens.claims();
  };
  const reads = async (claimed, amr, acr) => {
    const { amr: ways, acr: level, auth_time: at, iat } = await claimed;
    assert.deepEqual([ways, level], [amr, acr]);
    assert.ok(at <= iat && iat - at < 120, `auth_time ${at}, iat ${iat}`);
  };
  const another = (person) => new Person(person.account);
  const byPassword = (page, person) => person.submits(page, 'login-submit', { login: person.account.username, password: PASSWORD });
  const bySent = (method) => async (page, person) => {
    const to = person.account.username;
    const form = await follows(person, page, ({ id }) => id === `method-${method}`);
    const sent = await receives(to, () => person.submits(form, 'send-code-submit', { login: to }));
    return person.submits({ ...sent.page, redirectUri: app.redirectUri }, 'otp-submit', { otp: digits(sent.message) });
  };

  const address = `methods-${Date.now()}@example.com`;
  const number = `+3162${String(randomInt(10_000_000)).padStart(7, '0')}`;
  const ada = await test('somebody registers by mail', () => newcomer('email', address));
  if (!ada) return;

  await test('password: pwd, one factor', () => reads(claims(another(ada), byPassword), ['pwd'], ONE));
  await test('code by mail: otp, one factor', () => reads(claims(another(ada), bySent('email_code')), ['otp'], ONE));
  await test('code by text message: sms, one factor', async () => {
    const bert = await newcomer('phone', number);
    await reads(claims(another(bert), bySent('sms_code')), ['sms'], ONE);
  });
  await test('magic link, opened in the browser that asked: otp, one factor', async () => {
    await pause(1000);
    const proves = async (page, person) => {
      const form = await follows(person, page, ({ id }) => id === 'method-magic_link');
      const { message } = await receives(address, () => person.submits(form, 'send-code-submit', { login: address }));
      const opened = await person.opens(message.match(/http\S+/)[0], app.redirectUri);
      return person.submits({ ...opened, redirectUri: app.redirectUri }, 'magic-submit');
    };
    await reads(claims(another(ada), proves), ['otp'], ONE);
  });

  await test('QR code, allowed on a phone that is signed in: what was proven there', async () => {
    const proves = async (page, person) => {
      const begin = await follows(person, page, ({ id }) => id === 'method-qr');
      const waits = await person.submits(begin, 'qr-begin');
      const code = waits.html.match(/id="qr-user-code">([^<]+)</)[1];
      const phone = another(ada);
      const asked = await phone.opens(`${server.issuer}/device?user_code=${code}`);
      const looks = hasId(asked.html, 'password') ? await byPassword(asked, phone) : asked;
      assert.ok(text(looks.html).includes(code), text(looks.html).slice(0, 300));
      await phone.submits(looks, 'device-accept');
      return follows(person, waits, ({ id }) => id === 'qr-check');
    };
    await reads(claims(another(ada), proves), ['pwd'], ONE);
  });

  const factor = await test('a code app is set up on the security page', async () => {
    const begun = await ada.submits(await ada.opens(`${server.issuer}/account/security`), 'totp-begin');
    const secret = begun.html.match(/id="totp-secret"[^>]*>([^<]*)</)[1].replace(/\s/g, '');
    const done = await ada.submits(begun, 'otp-submit', { otp: totp(secret) });
    const codes = done.html.match(/id="backup-codes"[^>]*>([\s\S]*?)<\/[uo]l>/)?.[1] ?? '';
    const backup = text(codes).split(' ');
    assert.equal(backup.length, 10, text(done.html).slice(0, 300));
    return { secret, backup, step: step() };
  });
  if (!factor) return;
  const second = (code) => async (page, person) => {
    const asked = await byPassword(page, person);
    return person.submits({ ...asked, redirectUri: app.redirectUri }, 'otp-submit', { otp: await code() });
  };
  await test('password and code app: two factors', async () => {
    // A step of thirty seconds is good once, and the next one is taken early.
    const next = () => totp(factor.secret, factor.step + 1);
    await reads(claims(another(ada), second(next)), ['pwd', 'otp', 'mfa'], TWO);
  });
  await test('password and backup code: two factors', async () => {
    const proves = async (page, person) => {
      const asked = await byPassword(page, person);
      const form = await follows(person, asked, ({ href = '' }) => href.includes('challenge=backup_code'));
      return person.submits({ ...form, redirectUri: app.redirectUri }, 'otp-submit', { otp: factor.backup[0] });
    };
    await reads(claims(another(ada), proves), ['pwd', 'otp', 'mfa'], TWO);
  });
}

function step() {
  return Math.floor(Date.now() / 30_000);
}

/** RFC 6238: six digits, SHA-1, steps of thirty seconds. */
function totp(secret, at = step()) {
  const bits = [...secret].map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const moment = Buffer.alloc(8);
  moment.writeBigUInt64BE(BigInt(at));
  const mac = createHmac('sha1', key).update(moment).digest();
  const from = mac.at(-1) & 0xf;
  return String((mac.readUInt32BE(from) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}
