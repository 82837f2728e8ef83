// Accounts on pages, with scripts and without: made, found again, changed and ended, by what arrives in the mailbox.
import assert from 'node:assert/strict';
import { test } from '../support/cases.mjs';
import { complaints } from '../support/chromium.mjs';
import { code, link } from './mail.mjs';
import { getsTo, onward, signsIn } from './visitor.mjs';

const FIRST = 'seven quiet herons at dawn';
const SECOND = 'eight loud herons at dusk';

export async function accounts(browser, server, app) {
  for (const javaScriptEnabled of [true, false]) {
    const story = (name, tells) =>
      test(`accounts, ${javaScriptEnabled ? 'with' : 'without'} JavaScript: ${name}`, async () => {
        const person = new Person(browser, server, app, javaScriptEnabled);
        try {
          await person.opens();
          await tells(person);
          assert.deepEqual(person.complained, []);
        } finally {
          await person.leaves();
        }
      });
    await stories(story);
    if (javaScriptEnabled) await story('a password is judged while it is typed', judged);
  }
}

async function stories(story) {
  await story('registration by code leads to the app', async (carol) => {
    await carol.registers('new', { prompt: 'create' });
    assert.equal(await carol.outcome(), `new: signed in as ${carol.email}`);
  });

  await story('registration by number, and a password forgotten there', async (carol) => {
    const number = `+3161${String(Date.now() % 10_000_000).padStart(7, '0')}`;
    await carol.page.goto(carol.app.start('new', { prompt: 'create' }));
    await carol.presses('register-by-phone');
    await carol.sends({ phone: '0612345678', password: FIRST }, 'register-submit');
    await carol.page.locator('#phone-mistake').waitFor();
    await carol.sends({ phone: number, password: FIRST }, 'register-submit');
    await carol.sends({ code: await code(carol.server, number) }, 'code-submit');
    await getsTo(carol.page, carol.app.origin, { username: number, password: FIRST });
    await carol.forgetsCookies();
    await carol.page.goto(carol.app.start('back'));
    await carol.presses('recover');
    await carol.sends({ login: number }, 'recover-text');
    await carol.sends({ code: await code(carol.server, number), password: SECOND }, 'code-submit');
    await carol.page.locator('#notice-password_set').waitFor();
    carol.email = number;
    await carol.page.goto(`${carol.server.issuer}/sign-in`);
    await onward(carol.page, () => signsIn(carol.page, { username: number, password: SECOND }));
    await carol.page.goto(`${carol.server.issuer}/account`);
    await carol.page.locator('.hero').waitFor();
  });

  await story('a forgotten password, by link', async (carol) => {
    await carol.registers('new', { prompt: 'create' });
    await carol.forgetsCookies();
    await carol.page.goto(carol.app.start('back'));
    await carol.presses('recover');
    await carol.sends({ login: carol.email }, 'recover-submit');
    await carol.page.goto(await link(carol.server, carol.email, '/recover/password'));
    await carol.sends({ password: 'password1' }, 'new-password-submit');
    await carol.page.locator('#password-mistake').waitFor();
    await carol.sends({ password: SECOND }, 'new-password-submit');
    await carol.page.locator('#notice-password_set').waitFor();
    await carol.signsIn(SECOND);
  });

  await story('a forgotten password, by code', async (carol) => {
    await carol.registers('new', { prompt: 'create' });
    await carol.forgetsCookies();
    await carol.page.goto(carol.app.start('back'));
    await carol.presses('recover');
    await carol.sends({ login: carol.email }, 'recover-code');
    await carol.sends({ code: await code(carol.server, carol.email), password: SECOND }, 'code-submit');
    await carol.page.locator('#notice-password_set').waitFor();
    await carol.signsIn(SECOND);
  });

  await story('another password', async (carol) => {
    await carol.registers('new', { prompt: 'create' });
    await carol.goesTo('password');
    const given = { current_password: 'wrong', password: '12345678', confirm_password: SECOND };
    await carol.sends(given, 'password-submit');
    for (const field of Object.keys(given)) await carol.page.locator(`#${field}-mistake`).waitFor();
    await carol.sends({ current_password: FIRST, password: SECOND, confirm_password: SECOND }, 'password-submit');
    await carol.page.locator('#password-changed').waitFor();
    await carol.forgetsCookies();
    await carol.signsIn(SECOND);
  });

  await story('a second address, made the first', async (carol) => {
    await carol.registers('new', { prompt: 'create' });
    await carol.goesTo('contacts');
    const other = `other-${carol.email}`;
    await carol.sends({ email: other }, 'add-email');
    await carol.sends({ code: await code(carol.server, other) }, 'contact-confirm');
    const makes = carol.page.locator('[id^=primary-]');
    await onward(carol.page, () => makes.click());
    const first = carol.page.locator('li', { hasText: other });
    assert.match(await first.innerText(), /First/);
  });

  await story('a sign-in elsewhere is told, and taken back', async (carol) => {
    await carol.registers('new', { prompt: 'create' });
    const thief = new Person(carol.browser, carol.server, carol.app, true, 'Mozilla/5.0 (Thief)');
    thief.email = carol.email;
    try {
      await thief.opens();
      await thief.signsIn(FIRST);
      await carol.page.goto(await link(carol.server, carol.email, '/account/not-me'));
      await carol.presses('mailed-confirm');
      await carol.sends({ password: SECOND }, 'new-password-submit');
      await carol.page.locator('#notice-password_set').waitFor();
      await thief.page.goto(`${carol.server.issuer}/account`);
      await thief.page.locator('#login-submit').waitFor();
      await carol.signsIn(SECOND);
    } finally {
      await thief.leaves();
    }
  });

  await story('the end of an account, taken back', async (carol) => {
    await carol.registers('new', { prompt: 'create' });
    await carol.goesTo('data');
    await carol.page.locator('#sure').check();
    await carol.presses('delete');
    await carol.page.locator('#notice-deleted').waitFor();
    await carol.page.goto(await link(carol.server, carol.email, '/account/restore'));
    await carol.presses('mailed-confirm');
    await carol.page.locator('#notice-restored').waitFor();
    await carol.signsIn(FIRST);
  });
}

async function judged(carol) {
  await carol.page.goto(carol.app.start('new', { prompt: 'create' }));
  const says = (weakness) => carol.page.locator(`[data-weakness=${weakness}]`);
  const field = carol.page.locator('#password');
  await carol.page.locator('#email').fill('carol.jones@example.net');
  await field.fill('12345');
  await says('password_too_short').waitFor({ state: 'visible' });
  await says('password_entirely_numeric').waitFor({ state: 'visible' });
  assert.equal(await field.getAttribute('aria-invalid'), 'true');
  await field.fill('carol.jones1');
  await says('password_too_similar').waitFor({ state: 'visible' });
  await says('password_entirely_numeric').waitFor({ state: 'hidden' });
  await field.fill(FIRST);
  await carol.page.locator('[data-good]').waitFor({ state: 'visible' });
  assert.equal(await field.getAttribute('aria-invalid'), 'false');
}

let people = 0;

/** Somebody with a browser and a mailbox of their own. */
class Person {
  constructor(browser, server, app, javaScriptEnabled, userAgent) {
    Object.assign(this, { browser, server, app, javaScriptEnabled, userAgent });
    people += 1;
    this.email = `carol-${Date.now()}-${people}@example.net`;
  }

  async opens() {
    const { javaScriptEnabled, userAgent } = this;
    this.context = await this.browser.newContext({ javaScriptEnabled, ...(userAgent ? { userAgent } : {}) });
    this.context.setDefaultTimeout(15_000);
    this.complained = complaints(this.context);
    this.page = await this.context.newPage();
  }

  async leaves() {
    await this.context.close();
  }

  async forgetsCookies() {
    await this.context.clearCookies();
  }

  async presses(id) {
    await onward(this.page, () => this.page.locator(`#${id}`).click());
  }

  async sends(fields, button) {
    for (const [id, value] of Object.entries(fields)) await this.page.locator(`#${id}`).fill(value);
    await this.presses(button);
  }

  async outcome() {
    return this.page.locator('#outcome').innerText();
  }

  /** Makes an account, within the request of the app called `name`. */
  async registers(name, parameters) {
    await this.page.goto(this.app.start(name, parameters));
    await this.sends({ email: this.email, password: FIRST }, 'register-submit');
    await this.sends({ code: await code(this.server, this.email) }, 'code-submit');
    await getsTo(this.page, this.app.origin, { username: this.email, password: FIRST });
  }

  async signsIn(password) {
    await this.page.goto(`${this.server.issuer}/sign-in`);
    await onward(this.page, () => signsIn(this.page, { username: this.email, password }));
    await this.page.goto(`${this.server.issuer}/account`);
    assert.match(await this.page.locator('.hero').innerText(), new RegExp(this.email));
  }

  async goesTo(name) {
    await this.page.goto(`${this.server.issuer}/account`);
    await this.presses(`console-${name}`);
  }
}
