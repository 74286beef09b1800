import { type Receiver, startReceiver } from './receiver.ts';

/** What came to a client's notification endpoint (CIBA). */
export interface ReceivedPing {
  readonly method: string;
  /** Where it went. */
  readonly path: string;
  readonly contentType: string;
  readonly authorization: string;
  readonly body: string;
}

/** A client's server on this machine, that is told of decisions. */
export type PingReceiver = Receiver<ReceivedPing>;

/** Answers 204 at first. */
export function startPingReceiver(): Promise<PingReceiver> {
  return startReceiver({
    path: '/told',
    status: 204,
    read: ({ method = '', url: path = '', headers: { 'content-type': contentType = '', authorization = '' } }, body) => ({
      method,
      path,
      contentType,
      authorization,
      body,
    }),
  });
}
