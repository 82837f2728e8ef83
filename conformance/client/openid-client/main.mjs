// openid-client v6, a certified relying party for Node.js, against a running server.
import { facts } from '../../support/cases.mjs';
import { codeFlow } from './code-flow.mjs';
import { example } from './example.mjs';
import { groups } from './groups.mjs';
import { device } from './device.mjs';
import { methods } from './methods.mjs';
import { refresh } from './refresh.mjs';
import { clientAuthentication } from './client-authentication.mjs';
import { idTokens } from './id-tokens.mjs';
import { sessions } from './sessions.mjs';
import { registration } from './registration.mjs';

const server = facts();
// The reuse of a refresh token is judged after the grace of an honest retry; the other stories fill that time.
const reuse = refresh(server);
await example(server);
await codeFlow(server);
await clientAuthentication(server);
await idTokens(server);
await sessions(server);
await registration(server);
await groups(server);
await device(server);
await methods(server);
await reuse;
