// A look at a sample of every page, also of those that no walk comes past: `symbolon template check` makes them, and a page without a
// sample fails the unit tests. Once more in German, whose words are long.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from '../support/cases.mjs';
import { look } from './gallery.mjs';

const LOOKS = [
  { language: 'en', colorScheme: 'light', width: 320 },
  { language: 'en', colorScheme: 'dark', width: 1280 },
  { language: 'de', colorScheme: 'dark', width: 320 },
];

export async function samples(browser, server) {
  const folder = mkdtempSync(join(tmpdir(), 'samples-'));
  try {
    execFileSync(process.env.SYMBOLON_PROGRAM, ['template', 'check', '--write', folder], { stdio: ['ignore', 'ignore', 'inherit'] });
    for (const { language, colorScheme, width } of LOOKS) {
      const pages = join(folder, language, 'page');
      const context = await browser.newContext({ colorScheme, viewport: { width, height: 800 }, reducedMotion: 'reduce', locale: language });
      context.setDefaultTimeout(15_000);
      // Apps are not there; what a page sends them by itself goes nowhere.
      await context.route((url) => url.origin !== server.issuer, (route) => route.abort('aborted'));
      await context.route('**/assets/form_post-*.js', (route) => route.abort('aborted'));
      // The sample stands where the server would show a page: its style and its scripts come from there.
      const place = `${server.issuer}/sample/`;
      await context.route(`${place}*`, (route) => {
        const name = decodeURIComponent(new URL(route.request().url()).pathname.split('/').pop());
        return route.fulfill({ contentType: 'text/html; charset=utf-8', body: readFileSync(join(pages, name)) });
      });
      const page = await context.newPage();
      const names = readdirSync(pages).filter((name) => name.endsWith('.html'));
      await test(`samples of pages · ${language} · ${colorScheme} · ${width}`, () => assert.ok(names.length > 60, `${names.length} of them`));
      for (const name of names) {
        const title = `sample ${name.replace('.html', '')} · ${language} · ${colorScheme} · ${width}`;
        await test(title, async () => {
          await page.goto(place + encodeURIComponent(name));
          await look(page, `sample-${name.replace('.html', '')}-${language}-${colorScheme}-${width}`);
        });
      }
      await context.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
