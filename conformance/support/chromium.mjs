// Real Chromium for the folders that drive a browser, through their own playwright-core.
import { existsSync } from 'node:fs';

const ARGUMENTS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

/** Starts the machine's Chromium with a profile of its own; `chromium` is playwright-core's. */
export function launches(chromium) {
  const executablePath = process.env.SYMBOLON_CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
  if (!executablePath) throw new Error('no Chromium here: `apt-get install chromium`, or name one in SYMBOLON_CHROMIUM');
  return chromium.launch({ executablePath, args: ARGUMENTS });
}

/** Collects what the pages of a context complain of: errors, refused scripts, 5xx answers. */
export function complaints(context) {
  const list = [];
  context.on('console', (message) => {
    const text = message.text();
    // A 4xx that the test provokes is logged by the browser as an error too; it is no complaint about the page.
    if (message.type() === 'error' && !text.startsWith('Failed to load resource')) list.push(`console: ${text}`);
  });
  context.on('weberror', (error) => list.push(`script: ${error.error().message}`));
  context.on('response', (response) => {
    if (response.status() >= 500) list.push(`${response.status()} from ${response.url()}`);
  });
  return list;
}
