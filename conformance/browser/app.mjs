// An app of the test's own: it registers itself, starts sign-ins under a name, and shows what came back under that name.
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

const LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><rect width="8" height="8" rx="2" fill="#0a6"/></svg>';

/** A running app with an `origin`; `start(name, parameters)` is the URL that begins a sign-in. */
export class App {
  #flows = new Map();

  /** What the last ID token says of how the person signed in: `acr`, `amr`. */
  proof = undefined;

  static async opens(issuer) {
    const app = new App();
    await app.#listens();
    await app.#registers(issuer);
    return app;
  }

  start(name, parameters = {}) {
    return `${this.origin}/start?${new URLSearchParams({ name, ...parameters })}`;
  }

  close() {
    this.server.close();
    this.server.closeAllConnections();
  }

  async #listens() {
    this.server = createServer((request, response) => {
      this.#answers(request, response).catch((error) => this.#shows(response, 'Trouble', 'outcome', `the app failed: ${error.message}`));
    });
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.origin = `http://localhost:${this.server.address().port}`;
  }

  async #registers(issuer) {
    this.metadata = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
    const response = await fetch(this.metadata.registration_endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        client_name: 'Tideline Books',
        client_uri: `${this.origin}/`,
        logo_uri: `${this.origin}/logo.svg`,
        policy_uri: `${this.origin}/policy`,
        tos_uri: `${this.origin}/terms`,
        redirect_uris: [`${this.origin}/callback`],
        post_logout_redirect_uris: [`${this.origin}/`],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'client_secret_post',
        scope: 'openid profile email offline_access',
      }),
    });
    const body = await response.json();
    if (response.status !== 201) throw new Error(`registration: ${response.status} ${JSON.stringify(body)}`);
    this.client = body;
  }

  async #answers(request, response) {
    const url = new URL(request.url, this.origin);
    if (url.pathname === '/start') return this.#starts(url.searchParams, response);
    if (url.pathname === '/callback') return this.#calledBack(request.method === 'POST' ? await form(request) : url.searchParams, response);
    if (url.pathname === '/logo.svg') return response.writeHead(200, { 'content-type': 'image/svg+xml' }).end(LOGO);
    return this.#shows(response, 'Tideline Books', 'home', 'Welcome.');
  }

  // What is asked beside the name goes into the request.
  #starts(asked, response) {
    const { name = 'again', ...parameters } = Object.fromEntries(asked);
    const state = randomBytes(16).toString('base64url');
    const verifier = randomBytes(32).toString('base64url');
    this.#flows.set(state, { name, verifier });
    const url = new URL(this.metadata.authorization_endpoint);
    url.search = new URLSearchParams({
      response_type: 'code',
      client_id: this.client.client_id,
      redirect_uri: `${this.origin}/callback`,
      scope: 'openid profile email',
      state,
      nonce: state,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...parameters,
    });
    response.writeHead(303, { location: url.href }).end();
  }

  async #calledBack(answer, response) {
    const flow = this.#flows.get(answer.get('state'));
    if (!flow) return this.#shows(response, 'Trouble', 'outcome', 'an answer to no question');
    if (answer.has('error')) return this.#shows(response, 'Not signed in', 'outcome', `${flow.name}: ${answer.get('error')}`);
    const { client_id, client_secret } = this.client;
    const redeemed = await fetch(this.metadata.token_endpoint, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'authorization_code', code: answer.get('code'), redirect_uri: `${this.origin}/callback`, code_verifier: flow.verifier, client_id, client_secret,
      }),
    });
    const tokens = await redeemed.json();
    if (!redeemed.ok) return this.#shows(response, 'Trouble', 'outcome', `${flow.name}: ${tokens.error}`);
    const { email, name } = await (await fetch(this.metadata.userinfo_endpoint, { headers: { authorization: `Bearer ${tokens.access_token}` } })).json();
    const { acr, amr } = JSON.parse(Buffer.from(tokens.id_token.split('.')[1], 'base64url'));
    this.proof = { acr, amr };
    return this.#shows(response, 'Signed in', 'outcome', `${flow.name}: signed in as ${email ?? name}`);
  }

  #shows(response, title, id, text) {
    const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
    response.end(`<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title><main><h1>${title}</h1><p id="${id}">${escaped}</p></main></html>`);
  }
}

async function form(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return new URLSearchParams(Buffer.concat(chunks).toString());
}
