// Somebody at the browser: signs in, consents, and looks for the way on that a page offers.

/** Does something that brings a new document, and waits until that is loaded. */
export async function onward(page, acts) {
  await Promise.all([page.waitForEvent('load'), acts()]);
}

/** Types the password and presses the button; a name that is already there and cannot be changed stays. */
export async function signsIn(page, { username, password }) {
  const login = page.locator('#login');
  if (await login.isEditable()) await login.fill(username);
  await page.locator('#password').fill(password);
  await page.locator('#login-submit').click();
}

/**
 * Does what each page asks until the browser is at `origin`, by at most `patience` pages.
 * `answer` is the button on the consent page. From an error page it takes the way back. Gives the ids it pressed.
 */
export async function getsTo(page, origin, account, { answer = 'consent-accept', patience = 8 } = {}) {
  const pressed = [];
  for (let pages = 0; pages < patience; pages += 1) {
    if (new URL(page.url()).origin === origin) return pressed;
    const here = await wayOn(page);
    const button = here === 'consent-accept' ? answer : here;
    await onward(page, () => (here === 'login-submit' ? signsIn(page, account) : page.locator(`#${button}`).click()));
    pressed.push(button);
  }
  throw new Error(`not at ${origin} after ${pressed.join(', ')}: at ${page.url()}`);
}

async function wayOn(page) {
  for (const id of ['login-submit', 'consent-accept', 'account-current', 'form-post-submit', 'logout-confirm', 'back']) {
    if (await page.locator(`#${id}`).count()) return id;
  }
  const text = await page.locator('body').innerText();
  throw new Error(`no way on from ${page.url()}: ${text.slice(0, 200)}`);
}
