import { decodeJwt, type JWTPayload } from 'jose';
import { type Receiver, startReceiver } from './receiver.ts';

/** What came to a client's backchannel_logout_uri. */
export interface ReceivedLogout {
  readonly method: string;
  readonly contentType: string;
  readonly token: string;
  /** Unverified; none of a token that is encrypted. */
  readonly claims: JWTPayload;
}

/** A client's server on this machine, that is told of logouts. */
export type LogoutReceiver = Receiver<ReceivedLogout>;

/** Answers 200 at first. @param port a free one by default. */
export function startLogoutReceiver(port = 0): Promise<LogoutReceiver> {
  return startReceiver({
    path: '/logged-out',
    status: 200,
    port,
    read({ method = '', headers: { 'content-type': contentType = '' } }, body) {
      const token = new URLSearchParams(body).get('logout_token') ?? '';
      return { method, contentType, token, claims: token.split('.').length === 5 ? {} : decodeJwt(token) };
    },
  });
}
