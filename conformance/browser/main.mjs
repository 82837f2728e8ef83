// The browser test: the demo app, ways people really go, life without JavaScript, and a look at every page.
import { chromium } from 'playwright-core';
import { facts } from '../support/cases.mjs';
import { launches } from '../support/chromium.mjs';
import { accounts } from './accounts.mjs';
import { App } from './app.mjs';
import { demo } from './demo.mjs';
import { gallery } from './gallery.mjs';
import { passkeys } from './passkeys.mjs';
import { samples } from './samples.mjs';
import { wanderings } from './wanderings.mjs';
import { withoutJavaScript } from './without-javascript.mjs';

const server = facts();
const browser = await launches(chromium);
const app = await App.opens(server.issuer);
try {
  await demo(browser, server);
  await gallery(browser, server, app);
  await samples(browser, server);
  await wanderings(browser, server, app);
  await withoutJavaScript(browser, server, app);
  await accounts(browser, server, app);
  await passkeys(browser, server, app);
} finally {
  await browser.close();
  app.close();
}
