import { browserClient } from './client.mjs';

const element = (id) => document.getElementById(id);
const client = await browserClient(await (await fetch('/config.json')).json());

on('login', () => client.logIn());
on('call', async () => {
  const response = await client.call('GET', '/notes');
  say(`${response.status} ${JSON.stringify(await response.json())}`);
});
on('refresh', async () => {
  await client.refresh();
  say('Refreshed.');
});
on('logout', async () => {
  await client.logOut();
  say('Logged out.');
});

if (location.pathname === '/callback') {
  const answer = new URL(location.href);
  // Before anything else: the code is not for the history.
  history.replaceState(undefined, '', '/');
  await attempt(() => client.complete(answer));
}
await show();

function on(id, action) {
  element(id).addEventListener('click', () => void attempt(action).then(show));
}

async function attempt(action) {
  say('…');
  try {
    await action();
  } catch (problem) {
    say(problem.error === undefined ? String(problem.message) : `${problem.error}: ${problem.error_description ?? ''}`);
  }
}

async function show() {
  const subject = await client.subject();
  element('who').textContent = subject === undefined ? 'Nobody is logged in.' : `Logged in: ${subject}`;
  element('login').hidden = subject !== undefined;
  for (const id of ['call', 'refresh', 'logout']) {
    element(id).hidden = subject === undefined;
  }
}

function say(text) {
  element('said').textContent = text;
}
