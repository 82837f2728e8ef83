// A web app with sign-in, whole: its sign-in begins at /sign-in and ends at /callback. README.md shows it.
import { createServer } from 'node:http';
import * as client from 'openid-client';

const { ISSUER, CLIENT_ID, CLIENT_SECRET, PORT = '3000' } = process.env;
const redirect_uri = `http://localhost:${PORT}/callback`;
const config = await client.discovery(new URL(ISSUER), CLIENT_ID, undefined, client.ClientSecretBasic(CLIENT_SECRET), {
  execute: [client.allowInsecureRequests], // for http://localhost; leave it out in production
});

createServer(async (request, response) => {
  const url = new URL(request.url, redirect_uri);
  if (url.pathname === '/sign-in') {
    const verifier = client.randomPKCECodeVerifier();
    const state = client.randomState();
    const code_challenge = await client.calculatePKCECodeChallenge(verifier);
    const target = client.buildAuthorizationUrl(config, { redirect_uri, scope: 'openid profile email', state, code_challenge, code_challenge_method: 'S256' });
    response.setHeader('set-cookie', `sign_in=${state}.${verifier}; HttpOnly; SameSite=Lax; Path=/callback`);
    response.writeHead(303, { location: target.href }).end();
  } else if (url.pathname === '/callback') {
    try {
      const [expectedState, pkceCodeVerifier] = request.headers.cookie?.match(/\bsign_in=([^;]+)/)?.[1].split('.') ?? [];
      const tokens = await client.authorizationCodeGrant(config, url, { expectedState, pkceCodeVerifier });
      const person = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
      response.end(`signed in as ${person.name}`);
    } catch (error) {
      response.writeHead(400).end(`not signed in: ${error.error_description ?? error.message}`);
    }
  } else {
    response.setHeader('content-type', 'text/html').end('<a href="/sign-in">Sign in</a>');
  }
}).listen(PORT, 'localhost');
