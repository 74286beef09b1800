import { resourceServer } from 'keyturn/resource-server';

export const port = Number(process.env.PORT ?? 5000);

export const scope = process.env.SCOPE ?? 'notes:read';

/** The API that is protected. What went wrong beside a request goes to standard error. */
export const api = resourceServer({
  issuer: process.env.ISSUER ?? 'http://localhost:4000',
  resource: process.env.RESOURCE ?? `http://localhost:${port}/`,
  scopes: [scope],
  statusLists: { listen: process.env.LISTEN !== 'off', boundSeconds: Number(process.env.BOUND_SECONDS ?? 60) },
  onProblem: (problem) => console.error(problem),
});

/** @param {{ subject: string }} access */
export function notesOf({ subject }) {
  return { notes: [`a note of ${subject}`] };
}

/** @param {number | string | undefined} actual where it listens */
export function started(actual) {
  console.log(`listening on ${actual}`);
}
