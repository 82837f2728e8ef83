// A public client in one file: OpenID Connect's code flow with PKCE (RFC 7636), nothing but what browsers have.
// Tokens live in this page's memory only; what must outlive the redirect (state, nonce, verifier) in sessionStorage.
(function () {
  'use strict';

  var root = document.getElementById('spa');
  var settings = root.dataset;
  var log = document.getElementById('spa-log');
  var notice = document.getElementById('spa-notice');
  var number = 0;
  var provider;
  var session;

  function base64url(buffer) {
    var text = '';
    new Uint8Array(buffer).forEach(function (byte) { text += String.fromCharCode(byte); });
    return btoa(text).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  }

  function bytes(encoded) {
    var text = atob(encoded.replace(/-/g, '+').replace(/_/g, '/'));
    return Uint8Array.from(text, function (character) { return character.charCodeAt(0); });
  }

  function json(encoded) {
    return JSON.parse(new TextDecoder().decode(bytes(encoded)));
  }

  function random() {
    return base64url(crypto.getRandomValues(new Uint8Array(32)));
  }

  function sha256(text) {
    return crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  }

  function must(condition, complaint) {
    if (!condition) throw new Error(complaint);
  }

  // Shows an exchange; everything is text, never markup.
  function show(title, parts) {
    var details = document.createElement('details');
    var summary = document.createElement('summary');
    var name = document.createElement('strong');
    var place = document.createElement('span');
    number += 1;
    place.className = 'demo-number';
    place.textContent = String(number);
    name.textContent = title;
    summary.append(place, name);
    details.className = 'exchange panel';
    details.open = true;
    details.append(summary);
    parts.forEach(function (part) {
      var block = document.createElement('pre');
      block.className = 'code';
      block.tabIndex = 0;
      block.setAttribute('role', 'group');
      block.setAttribute('aria-label', title);
      block.textContent = typeof part === 'string' ? part : JSON.stringify(part, null, 2);
      details.append(block);
    });
    if (log.firstElementChild) log.firstElementChild.open = false;
    log.prepend(details);
  }

  function say(text, kind) {
    notice.textContent = text;
    notice.className = 'notice ' + kind;
    notice.hidden = false;
  }

  async function send(title, url, options) {
    var request = ((options && options.method) || 'GET') + ' ' + url;
    var answer = await fetch(url, Object.assign({ credentials: 'omit', cache: 'no-store', redirect: 'error' }, options));
    var text = await answer.text();
    var body = text;
    try { body = JSON.parse(text); } catch (error) { /* shown as it came */ }
    show(title, [options && options.body ? request + '\n\n' + options.body : request, String(answer.status), body]);
    must(answer.ok, (body.error || answer.status) + ': ' + (body.error_description || 'the server refused'));
    return body;
  }

  async function discover() {
    if (provider) return provider;
    var found = await send('Discovery', settings.issuer.replace(/\/$/, '') + '/.well-known/openid-configuration');
    must(found.issuer === settings.issuer, 'the discovery document names another issuer');
    provider = found;
    return provider;
  }

  async function begin() {
    var metadata = await discover();
    var request = { state: random(), nonce: random(), verifier: random() };
    sessionStorage.setItem('symbolon_demo_request', JSON.stringify(request));
    var url = new URL(metadata.authorization_endpoint);
    var parameters = {
      response_type: 'code',
      client_id: settings.clientId,
      redirect_uri: settings.redirectUri,
      scope: settings.scope,
      state: request.state,
      nonce: request.nonce,
      code_challenge: base64url(await sha256(request.verifier)),
      code_challenge_method: 'S256'
    };
    Object.keys(parameters).forEach(function (name) { url.searchParams.set(name, parameters[name]); });
    location.assign(url);
  }

  async function token(title, parameters) {
    var body = new URLSearchParams(Object.assign({ client_id: settings.clientId }, parameters));
    var headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    return send(title, (await discover()).token_endpoint, { method: 'POST', headers: headers, body: body.toString() });
  }

  // OIDC Core §3.1.3.7: the claims of an ID token that passes every check.
  async function verified(idToken, nonce, accessToken) {
    var parts = idToken.split('.');
    must(parts.length === 3, 'the ID token is no JWT');
    var header = json(parts[0]);
    must(header.alg === 'RS256', 'the ID token is signed with ' + header.alg);
    var jwks = await send('Keys (JWKS)', (await discover()).jwks_uri);
    var jwk = jwks.keys.find(function (key) { return key.kid === header.kid && key.kty === 'RSA'; });
    must(jwk, 'no published key ' + header.kid);
    var algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
    var key = await crypto.subtle.importKey('jwk', { kty: jwk.kty, n: jwk.n, e: jwk.e }, algorithm, false, ['verify']);
    var signed = new TextEncoder().encode(parts[0] + '.' + parts[1]);
    must(await crypto.subtle.verify(algorithm, key, bytes(parts[2]), signed), 'the signature is wrong');
    var claims = json(parts[1]);
    var now = Date.now() / 1000;
    var half = base64url((await sha256(accessToken)).slice(0, 16));
    must(claims.iss === settings.issuer, 'iss is ' + claims.iss);
    must([].concat(claims.aud).includes(settings.clientId), 'aud is ' + claims.aud);
    must(!claims.azp || claims.azp === settings.clientId, 'azp is ' + claims.azp);
    must(claims.exp > now - 10, 'the ID token has expired');
    must(claims.iat < now + 10, 'the ID token is from the future');
    must(claims.nonce === nonce || (!nonce && claims.sub === session.claims.sub), 'nonce or sub is not the expected one');
    must(!claims.at_hash || claims.at_hash === half, 'at_hash does not fit the access token');
    show('ID token: every check passed', [header, claims]);
    return claims;
  }

  async function finish(query) {
    var request = JSON.parse(sessionStorage.getItem('symbolon_demo_request'));
    sessionStorage.removeItem('symbolon_demo_request');
    // The code is used up below; a reload must not send it again.
    history.replaceState(null, '', location.pathname);
    show('Authorization response', [Object.fromEntries(query)]);
    must(request && query.get('state') === request.state, 'the answer belongs to no request of this tab');
    must(query.get('iss') === settings.issuer, 'iss is ' + query.get('iss'));
    if (query.has('error')) throw new Error(query.get('error') + ': ' + (query.get('error_description') || ''));
    var tokens = await token('Token request: the code', {
      grant_type: 'authorization_code',
      code: query.get('code'),
      redirect_uri: settings.redirectUri,
      code_verifier: request.verifier
    });
    var claims = await verified(tokens.id_token, request.nonce, tokens.access_token);
    session = { tokens: tokens, claims: claims };
    await userinfo();
  }

  async function userinfo() {
    var headers = { Authorization: 'Bearer ' + session.tokens.access_token };
    var person = await send('UserInfo', (await discover()).userinfo_endpoint, { headers: headers });
    must(person.sub === session.claims.sub, 'UserInfo is about somebody else');
    var title = document.getElementById('spa-title');
    var name = document.createElement('span');
    name.id = 'spa-signed-in-as';
    name.textContent = 'You are signed in as ' + (person.name || person.preferred_username || person.sub);
    title.replaceChildren(name);
  }

  async function refresh() {
    var tokens = await token('Token request: the refresh token', {
      grant_type: 'refresh_token',
      refresh_token: session.tokens.refresh_token
    });
    if (tokens.id_token) session.claims = await verified(tokens.id_token, null, tokens.access_token);
    session.tokens = Object.assign({}, session.tokens, tokens);
    say('There is a new access token.', 'good');
  }

  async function signOut() {
    var url = new URL((await discover()).end_session_endpoint);
    url.searchParams.set('id_token_hint', session.tokens.id_token);
    url.searchParams.set('client_id', settings.clientId);
    url.searchParams.set('post_logout_redirect_uri', settings.redirectUri);
    session = undefined;
    location.assign(url);
  }

  function render() {
    document.getElementById('spa-sign-in').hidden = Boolean(session);
    document.getElementById('spa-userinfo').hidden = !session;
    document.getElementById('spa-refresh').hidden = !(session && session.tokens.refresh_token);
    document.getElementById('spa-sign-out').hidden = !session;
  }

  function attempt(act) {
    return function () {
      notice.hidden = true;
      return act().catch(function (error) { say(error.message, 'bad'); }).then(render);
    };
  }

  document.getElementById('spa-sign-in').addEventListener('click', attempt(begin));
  document.getElementById('spa-userinfo').addEventListener('click', attempt(userinfo));
  document.getElementById('spa-refresh').addEventListener('click', attempt(refresh));
  document.getElementById('spa-sign-out').addEventListener('click', attempt(signOut));
  root.hidden = false;
  var query = new URLSearchParams(location.search);
  if (query.has('code') || query.has('error')) attempt(function () { return finish(query); })();
  render();
})();
