import type { Client } from '../clients/client.ts';
import type { EpochSeconds } from '../core/clock.ts';
import { InvalidRequest } from '../core/errors.ts';
import type { Parameters } from '../core/parameters.ts';
import { required } from '../core/parameters.ts';
import type { Confirmation } from '../grants/grant.ts';
import type { AccessTokenBacker, AccessTokenBacking } from '../tokens/access-token-backing.ts';
import type { AccessTokenReader, OwnAccessToken } from '../tokens/own-access-tokens.ts';
import { isFor } from './token-exchange-policy.ts';

/** RFC 8693 section 3. */
export const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
export const JWT = 'urn:ietf:params:oauth:token-type:jwt';

/** A token that a request presents as its subject or actor, and what stands behind it. */
export interface PresentedToken {
  readonly token: OwnAccessToken;
  readonly backing: AccessTokenBacking;
}

/** Reads the tokens of an exchange. */
export interface ExchangeableTokens {
  /**
   * @param isAcceptable what else the token must be, before anything is asked of the database.
   * @throws InvalidRequest as RFC 8693 section 2.2.2 wants it for a token that is "invalid for any reason, or unacceptable based on policy".
   */
  read(name: 'subject' | 'actor', request: Presentation, isAcceptable: (token: OwnAccessToken) => boolean): Promise<PresentedToken>;
}

interface Presentation {
  readonly client: Client;
  readonly parameters: Parameters;
  readonly confirmation: Confirmation | undefined;
  readonly now: EpochSeconds;
}

/**
 * Access tokens of this server, by the rules of introspection: genuine, neither expired nor revoked, and so their grant, their user and their client.
 * Not supported as a subject: refresh tokens, which nobody but their client has, and that gets narrower tokens with them already; ID tokens, which
 * say who logged in and grant nothing, so that any access would be more than they do (for ID-JAGs, which tell another server of a login, see
 * id-jag-subject.ts); tokens of other issuers.
 */
export function exchangeableTokens(rooms: {
  readonly readAccessToken: AccessTokenReader;
  readonly backingOf: AccessTokenBacker;
}): ExchangeableTokens {
  return {
    async read(name, { client, parameters, confirmation, now }, isAcceptable) {
      const text = required(parameters, `${name}_token`);
      const type = required(parameters, `${name}_token_type`);
      if (type !== ACCESS_TOKEN && type !== JWT) {
        throw new InvalidRequest(`The ${name}_token_type must be ${ACCESS_TOKEN}, or ${JWT} for the same.`);
      }
      const token = await rooms.readAccessToken(text, now);
      if (token === undefined || !isAcceptable(token)) {
        throw refusal(name, token === undefined ? 'unknown or expired' : `for ${token.audience.join(' ')}, of client ${token.clientId}`);
      }
      refuseOtherHolder(name, token, client, confirmation);
      const backing = await rooms.backingOf(token);
      if (backing === undefined) {
        throw refusal(name, 'revoked');
      }
      return { token, backing };
    },
  };
}

/**
 * A token that is bound to a key (RFC 9449, RFC 8705) is presented here by the service it was sent to, which has checked the proof and cannot
 * repeat it, or by whoever holds the key. And what it is exchanged for is bound in its turn, to the key of this request: a bound token never becomes a
 * bearer token.
 */
function refuseOtherHolder(
  name: string,
  { claims: { cnf }, audience }: OwnAccessToken,
  client: Client,
  confirmation: Confirmation | undefined,
): void {
  if (cnf === undefined) {
    return;
  }
  if (confirmation === undefined) {
    throw new InvalidRequest(
      `The ${name}_token is bound to a key, so what it is exchanged for must be: send a DPoP proof, or use the client's certificate.`,
    );
  }
  const isHolder = (cnf as Readonly<Record<string, unknown>>)[confirmation.method] === confirmation.thumbprint;
  if (!isHolder && !isFor(client, audience)) {
    throw refusal(name, 'bound to another key, and not for this client');
  }
}

/** One answer for every cause, so that a thief learns nothing from it. */
function refusal(name: string, detail: string): InvalidRequest {
  return new InvalidRequest(
    `The ${name}_token is not valid: it is unknown, expired, revoked, bound to another key, or not one that this client may exchange.`,
    `${name}_token: ${detail}`,
  );
}
