// A single-page app on oidc-client-ts: every exchange below is the browser's own, cross-origin.
/* global oidc */
const result = document.getElementById('result');
let turn = 0;

async function shows(name, action) {
  const mine = (turn += 1);
  let told;
  try {
    told = { [name]: (await action()) ?? 'done' };
  } catch (error) {
    told = { [name]: { failed: error.error ?? error.message } };
  }
  const user = await manager.getUser();
  document.getElementById('signed-in-as').textContent = user ? `signed in as ${user.profile.preferred_username ?? user.profile.sub}` : 'nobody';
  result.textContent = JSON.stringify(told);
  result.dataset.turn = mine;
}

let manager;

async function starts() {
  const settings = await (await fetch('/settings.json')).json();
  manager = new oidc.UserManager({
    ...settings,
    response_type: 'code',
    automaticSilentRenew: false,
    loadUserInfo: true,
    userStore: new oidc.WebStorageStateStore({ store: sessionStorage }),
  });
  const on = (id, action) => document.getElementById(id).addEventListener('click', () => shows(id, action));
  const tokens = ({ access_token, refresh_token, profile }) => ({ access_token, refresh_token, profile });
  on('sign-in', () => manager.signinRedirect({ prompt: 'consent' }));
  // Without a refresh token the library asks with prompt=none in a hidden frame.
  on('sign-in-silently', async () => {
    const user = await manager.getUser();
    if (user) await manager.storeUser(new oidc.User({ ...user, refresh_token: undefined }));
    return tokens(await manager.signinSilent());
  });
  on('refresh', async () => tokens(await manager.signinSilent()));
  on('userinfo', async () => {
    const { access_token } = await manager.getUser();
    const response = await fetch(await manager.metadataService.getUserInfoEndpoint(), { headers: { authorization: `Bearer ${access_token}` } });
    return { status: response.status, body: await response.json() };
  });
  on('revoke', () => manager.revokeTokens(['access_token', 'refresh_token']));
  on('sign-out', () => manager.signoutRedirect());

  if (location.pathname === '/callback') {
    await shows('callback', async () => {
      const user = await manager.signinCallback();
      if (user) history.replaceState({}, '', '/');
      return user && tokens(user);
    });
  } else {
    await shows('ready', () => location.pathname);
  }
}

starts();
