// The cases of one folder: each prints `ok <case>` or `FAIL <case>: why`, and a failure sets the exit code.
import { readFileSync } from 'node:fs';

/** The facts that `symbolon dev --json` printed: issuer, users with passwords, clients with secrets. */
export function facts() {
  const path = process.env.SYMBOLON_FACTS;
  if (!path) throw new Error('SYMBOLON_FACTS must name the JSON file that `symbolon dev --json` printed; `tests/all <name>` does that');
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** The seeded user of that name, with the password generated for it. */
export function user(facts, username) {
  const found = facts.users.find((candidate) => candidate.username === username);
  if (!found) throw new Error(`the facts name no user ${username}`);
  return found;
}

/** The seeded client of that name. */
export function client(facts, name) {
  const found = facts.clients.find((candidate) => candidate.name === name);
  if (!found) throw new Error(`the facts name no client ${name}`);
  return found;
}

/** Runs one story and reports it; gives what the story gave, or undefined when it failed. */
export async function test(name, story) {
  try {
    const value = await story();
    console.log(`ok ${name}`);
    return value;
  } catch (error) {
    process.exitCode = 1;
    console.log(`FAIL ${name}: ${reason(error)}`);
    if (process.env.SYMBOLON_TRACE) console.error(error);
    return undefined;
  }
}

function reason(error) {
  const parts = [];
  for (let at = error; at && parts.length < 4; at = at.cause) {
    const body = at.error_description ?? at.body ?? undefined;
    parts.push([at.message ?? String(at), at.error, body && String(body)].filter(Boolean).join(' · '));
    if (!(at.cause instanceof Error)) break;
  }
  return parts.join(' ← ').replace(/\s*\n\s*/g, ' | ').slice(0, 900);
}
