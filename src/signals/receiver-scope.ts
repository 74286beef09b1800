import type { Client } from '../clients/client.ts';

/** CAEP Interoperability Profile section 2.7.2: one value for all of it, one to look, one to poll. */
export const MANAGE = ['ssf.manage'] as const;
export const READ = ['ssf.read', 'ssf.manage'] as const;
export const POLL = ['ssf.manage.poll', 'ssf.manage'] as const;

/** Whether a client may still be a receiver of events: one from which all of these were taken is told nothing more, also on the streams that it has. */
export function isReceiver({ scope }: Pick<Client, 'scope'>): boolean {
  return [...READ, ...POLL].some((value) => scope.includes(value));
}
