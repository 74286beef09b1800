import { setPriority } from 'node:os';
import { browser, formWith } from '../test/support/browser.ts';

/** Over IPC to a process that is one of many browsers until it is told to stop; it then answers with a `StormResult`. */
export interface StormJob {
  readonly issuer: string;
  readonly clientId: string;
  readonly redirectUri: string;
}

export interface StormResult {
  /** Passwords that were looked at. */
  readonly logins: number;
  /** Those that were refused untried (503). */
  readonly busy: number;
}

const TABS = 24;
// The browsers would be on other machines: what they cost here is not what is measured.
setPriority(10);

const weather = { isOver: false };
const result = { logins: 0, busy: 0 };

process.on('message', (told: StormJob | 'stop') => {
  if (told === 'stop') {
    weather.isOver = true;
  } else {
    void storm(told).then(() => process.send?.(result, () => process.exit()));
  }
});

async function storm(job: StormJob): Promise<void> {
  await Promise.all(Array.from({ length: TABS }, (_, tab) => guesses(job, tab)));
}

async function guesses({ issuer, clientId, redirectUri }: StormJob, tabIndex: number): Promise<void> {
  const tab = browser({ issuer });
  const query = new URLSearchParams({
    client_id: clientId,
    response_type: 'code',
    redirect_uri: redirectUri,
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
  });
  const page = await tab.visit(`${issuer}/authorize?${query.toString()}`);
  formWith(page, ['password']);
  for (let guess = 0; !weather.isOver; guess++) {
    const from = { 'x-forwarded-for': `198.18.${tabIndex}.${guess % 250}` };
    const answer = await tab.submit(page, { username: `nobody-${tabIndex}-${guess}`, password: 'a wrong password' }, from);
    if (answer.status === 503) {
      result.busy += 1;
      await new Promise((resolve) => setTimeout(resolve, 50));
    } else {
      result.logins += 1;
    }
  }
}
