// A person at a browser without JavaScript: cookies, forms and redirects, found by the stable ids of the pages.
import http from 'node:http';
import https from 'node:https';
import { forms, hasId, text } from './html.mjs';

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export class Person {
  #cookies = new Map();

  /** What the person was asked since the last visit began: `sign-in`, `consent`. */
  asked = [];

  /**
   * `account` is one of the `users` of the facts; `answer` is the button pressed when an app asks for consent; `address` is an address
   * of this machine that the person calls from.
   */
  constructor(account, { answer = 'consent-accept', address } = {}) {
    this.account = account;
    this.answer = answer;
    this.address = address;
  }

  /**
   * Follows an authorization URL through sign-in and consent until the browser is sent to `redirectUri`.
   * Gives the URL it was sent to; for `response_mode=form_post`, a Request as the app receives it.
   */
  async visits(authorizationUrl, redirectUri) {
    this.asked = [];
    let page = await this.opens(authorizationUrl, redirectUri);
    for (let pages = 0; pages < 6; pages += 1) {
      if (page.landed) return page.landed;
      if (hasId(page.html, 'password')) this.asked.push('sign-in');
      else if (hasId(page.html, 'consent-accept')) this.asked.push('consent');
      if (hasId(page.html, 'password')) page = await this.submits(page, 'login-submit', { login: this.account.username, password: this.account.password });
      else if (hasId(page.html, 'consent-accept')) page = await this.submits(page, this.answer);
      else throw new Error(`no way on from ${page.url} (${page.status}): ${text(page.html).slice(0, 300)}`);
      const again = page.html && hasId(page.html, 'password') && page.pressed === 'login-submit';
      if (again) throw new Error(`sign-in was refused (${page.status}): ${text(page.html).slice(0, 300)}`);
    }
    throw new Error('six pages and not back at the app');
  }

  /** Opens a URL and follows redirects, up to a page or to `redirectUri`. */
  async opens(url, redirectUri) {
    return this.#follows({ url: new URL(url), method: 'GET' }, redirectUri);
  }

  /** Fills a form by the ids of its inputs, keeps what is hidden, presses the button of that id. */
  async submits(page, button, values = {}) {
    const form = forms(page.html).find(({ controls }) => controls.some(({ id }) => id === button));
    if (!form) throw new Error(`no form with #${button} at ${page.url}: ${text(page.html).slice(0, 300)}`);
    const fields = new URLSearchParams();
    for (const control of form.controls) {
      const pressed = control.id === button;
      if (!control.name || 'disabled' in control) continue;
      if (['submit', 'button', 'image', 'reset'].includes(control.type) && !pressed) continue;
      if (['checkbox', 'radio'].includes(control.type) && !('checked' in control)) continue;
      const given = 'readonly' in control ? undefined : values[control.id];
      fields.append(control.name, given ?? control.value ?? (control.type === 'checkbox' ? 'on' : ''));
    }
    const pressed = form.controls.find(({ id }) => id === button);
    const target = new URL(pressed.formaction ?? form.action, page.url);
    const step = { url: target, method: form.method.toUpperCase(), from: page.url };
    if (step.method === 'GET') target.search = fields.toString();
    else step.body = fields.toString();
    return { ...(await this.#follows(step, page.redirectUri)), pressed: button };
  }

  async #follows(step, redirectUri) {
    for (let hops = 0; hops < 12; hops += 1) {
      if (redirectUri && isAt(step.url, redirectUri)) return { landed: step.url, redirectUri };
      const answer = await this.#sends(step);
      if (!REDIRECTS.has(answer.status)) return this.#reads(step, answer, redirectUri);
      if (answer.status === 307 || answer.status === 308) throw new Error(`${step.url.pathname} redirects with ${answer.status}, which would repeat a POST (RFC 9700 §4.12)`);
      step = { url: new URL(answer.headers.location, step.url), method: 'GET', from: step.url };
    }
    throw new Error(`twelve redirects, last to ${step.url}`);
  }

  #reads(step, answer, redirectUri) {
    const page = { url: step.url, status: answer.status, html: answer.body, headers: answer.headers, redirectUri };
    const post = redirectUri && forms(answer.body).find(({ action, method }) => method === 'post' && action && isAt(new URL(action, step.url), redirectUri));
    if (!post) return page;
    const fields = new URLSearchParams(post.controls.filter(({ name }) => name).map(({ name, value = '' }) => [name, value]));
    const request = new Request(redirectUri, { method: 'POST', body: fields });
    return { ...page, landed: request };
  }

  #sends({ url, method, body, from }) {
    const headers = { accept: 'text/html,application/xhtml+xml', 'accept-language': 'en', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    headers['sec-fetch-site'] = from ? (from.origin === url.origin ? 'same-origin' : 'cross-site') : 'none';
    const cookies = this.#cookiesFor(url);
    if (cookies) headers.cookie = cookies;
    if (body !== undefined) {
      headers['content-type'] = 'application/x-www-form-urlencoded';
      headers['content-length'] = Buffer.byteLength(body);
      headers.origin = from.origin;
    }
    return new Promise((resolve, reject) => {
      const request = (url.protocol === 'https:' ? https : http).request(url, { method, headers, ...(this.address && { localAddress: this.address, family: 4 }) }, (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          for (const line of response.headers['set-cookie'] ?? []) this.#keeps(line, url);
          resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString('utf8') });
        });
      });
      request.on('error', reject);
      request.end(body);
    });
  }

  // Cookies ignore ports (RFC 6265 §8.5), so the host name alone is the key.
  #keeps(line, url) {
    const [pair, ...rest] = line.split(';').map((part) => part.trim());
    const name = pair.slice(0, pair.indexOf('='));
    const options = Object.fromEntries(rest.map((part) => [part.split('=')[0].toLowerCase(), part.slice(part.indexOf('=') + 1)]));
    const path = options.path?.startsWith('/') ? options.path : '/';
    const ended = 'max-age' in options ? Number(options['max-age']) <= 0 : 'expires' in options && Date.parse(options.expires) <= Date.now();
    const key = `${url.hostname} ${path} ${name}`;
    if (ended) this.#cookies.delete(key);
    else this.#cookies.set(key, { host: url.hostname, path, pair });
  }

  #cookiesFor(url) {
    const within = (path) => url.pathname === path || url.pathname.startsWith(path.endsWith('/') ? path : `${path}/`);
    return [...this.#cookies.values()].filter(({ host, path }) => host === url.hostname && within(path)).map(({ pair }) => pair).join('; ');
  }
}

function isAt(url, redirectUri) {
  const expected = new URL(redirectUri);
  return url.origin === expected.origin && url.pathname === expected.pathname;
}
