import { openIdScopes } from '../accounts/standard-claims.ts';
import type { AuthorizationDetails } from '../authorization-details/authorization-detail.ts';
import { AUTHORIZATION_DETAILS, NO_DETAILS } from '../authorization-details/authorization-detail.ts';
import type { DetailRequests } from '../authorization-details/detail-requests.ts';
import { detailsAt } from '../authorization-details/locations.ts';
import { isWithinDetails } from '../authorization-details/narrower.ts';
import { requestedScope } from '../clients/permissions.ts';
import { TOKEN_EXCHANGE, type TokenExchangePolicy } from '../clients/token-exchange-metadata.ts';
import type { EnabledFeatures } from '../config/feature-switches.ts';
import type { AuditTrail } from '../core/audit.ts';
import { InvalidAuthorizationDetails, InvalidRequest, InvalidScope, InvalidTarget, UnauthorizedClient } from '../core/errors.ts';
import type { Parameters } from '../core/parameters.ts';
import type { Scope } from '../core/scope.ts';
import { formatScope, parseScope } from '../core/scope.ts';
import type { RequestLimits } from '../limits/request-limits.ts';
import type { AccessTokenIssuer } from '../tokens/access-token.ts';
import type { AccessTokenBacker } from '../tokens/access-token-backing.ts';
import { actorAfter, MOST_ACTORS, mayAct } from '../tokens/actor.ts';
import { type AccessTokenReader, EXCHANGED_FROM, type OwnAccessToken } from '../tokens/own-access-tokens.ts';
import { tokenResponse } from '../tokens/token-response.ts';
import { ACCESS_TOKEN, exchangeableTokens, JWT, type PresentedToken } from './exchangeable-tokens.ts';
import type { GrantType, TokenRequest } from './grant-type.ts';
import { namesDetails } from './granted-details.ts';
import { ID_JAG, type IdJagExchange } from './id-jag-exchange.ts';
import { decidingPolicy, isFor, policiesAbout } from './token-exchange-policy.ts';

/**
 * RFC 8693: a service exchanges an access token that it was sent for one with which it calls another service, for the same user. What it gets is
 * never more than the subject token and the client's policy both allow, ends with it at the latest, and is revoked with it.
 */
export function tokenExchange(rooms: {
  readonly issuer: string;
  readonly readAccessToken: AccessTokenReader;
  readonly backingOf: AccessTokenBacker;
  readonly issueAccessToken: AccessTokenIssuer;
  readonly detailRequests: DetailRequests;
  readonly limits: Pick<RequestLimits, 'user'>;
  readonly enabled: EnabledFeatures;
  readonly audit: AuditTrail;
  /** undefined: ID-JAGs are not given out. */
  readonly exchangeForIdJag: IdJagExchange | undefined;
}): GrantType {
  const { issuer, issueAccessToken, detailRequests, limits, audit, exchangeForIdJag } = rooms;
  const tokens = exchangeableTokens(rooms);

  return {
    type: TOKEN_EXCHANGE,
    mayRepeat: ['resource', 'audience'],
    async exchange(request) {
      const { client, parameters, confirmation, now, requestId } = request;
      // Registration refuses it too. Section 5: whoever found a token could exchange it.
      if (!client.isConfidential) {
        throw new UnauthorizedClient('A public client cannot exchange tokens (RFC 8693 section 5).');
      }
      if (exchangeForIdJag !== undefined && parameters.get('requested_token_type') === ID_JAG) {
        return exchangeForIdJag(request);
      }
      const issuedTokenType = requestedTokenType(parameters);
      const subject = await tokens.read('subject', request, ({ audience }) => policiesAbout(client, audience).length > 0);
      const { token, backing } = subject;
      const { grant } = backing;
      if (grant !== undefined) {
        limits.user(grant.user.id, request.counted);
      }
      const actor = await actorIn(request);
      const targets = targetsOf(parameters);
      const policy = decidingPolicy(policiesAbout(client, token.audience), targets, actor !== undefined);
      const claims = actorClaims(token, { policy, actor: subjectOf(actor?.token) ?? client.id });
      const origins = token.statusEntry === undefined || !rooms.enabled.has('status-list') ? originsOf(token) : {};
      const scope = scopeWithin(parameters, token, policy);
      const authorizationDetails = detailsAt(await detailsWithin(request, token), targets);
      if (scope.length === 0 && authorizationDetails.length === 0) {
        // A token without scope would look like one with all of it (RFC 6749 section 5.1).
        throw new InvalidScope('Nothing that the subject token allows may be exchanged for a token for that resource or audience.');
      }
      const accessToken = await issueAccessToken(
        {
          client,
          grant,
          scope,
          resources: targets,
          authorizationDetails,
          confirmation,
          exchanged: {
            subject: subjectOf(token) ?? client.id,
            claims: { ...claims, ...origins },
            expiresAt: Math.min(token.expiresAt, actor?.token.expiresAt ?? token.expiresAt),
            statusEntry: token.statusEntry ?? grant?.statusEntry,
          },
        },
        now,
      );
      audit.record('token_exchanged', {
        clientId: client.id,
        userId: grant?.user.id,
        subjectClientId: token.clientId,
        subjectJti: token.jti,
        grantId: grant?.id,
        mode: policy.mode,
        actor: policy.mode === 'delegation' ? (subjectOf(actor?.token) ?? client.id) : undefined,
        audience: targets.join(' '),
        scope: formatScope(accessToken.scope),
        requestId,
      });
      // No refresh token: the client comes again with a token that is still good, or not at all.
      return { ...tokenResponse({ accessToken }, now), issued_token_type: issuedTokenType };
    },
  };

  /**
   * Who acts, where a token says so: one of the client's own, or one that it was sent. It must be of somebody who acts for itself, for of an actor
   * that is an act of others nobody could say later who it was. undefined: the client itself.
   */
  async function actorIn(request: TokenRequest): Promise<PresentedToken | undefined> {
    const { client, parameters } = request;
    if (parameters.get('actor_token') !== undefined) {
      return tokens.read(
        'actor',
        request,
        ({ clientId, audience, claims }) => (clientId === client.id || isFor(client, audience)) && claims['act'] === undefined,
      );
    }
    // Section 2.1: "MUST NOT be included otherwise."
    if (parameters.get('actor_token_type') !== undefined) {
      throw new InvalidRequest('There is an actor_token_type and no actor_token (RFC 8693 section 2.1).');
    }
    return undefined;
  }

  function targetsOf(parameters: Parameters): readonly string[] {
    const targets = [...new Set([...parameters.all('resource'), ...parameters.all('audience')])];
    // Whatever a policy says: a token for this server is one for its own endpoints, and they know the client by it.
    if (targets.includes(issuer)) {
      throw new InvalidTarget('Tokens for this server itself are not had by exchange.');
    }
    return targets;
  }

  /** @throws InvalidRequest when `may_act` permits somebody else (section 4.4), or there were too many before. */
  function actorClaims({ claims }: OwnAccessToken, by: { policy: TokenExchangePolicy; actor: string }): Readonly<Record<string, unknown>> {
    const { act, may_act: permitted } = claims;
    if (!mayAct(permitted, by.actor, issuer)) {
      throw new InvalidRequest('The subject_token lets somebody else act for its subject (may_act, RFC 8693 section 4.4).');
    }
    // Impersonation adds no actor. It takes none away either: who acted before stays known.
    const next = by.policy.mode === 'delegation' ? actorAfter(act, by.actor) : act;
    if (by.policy.mode === 'delegation' && next === undefined) {
      throw new InvalidRequest(`The subject_token went through ${MOST_ACTORS} hands already (act, RFC 8693 section 4.1).`);
    }
    return { ...(next === undefined ? {} : { act: next }), ...(permitted === undefined ? {} : { may_act: permitted }) };
  }

  /** As with scopes: the subject token's, as far as their types are the client's too; or less, where the request says so (RFC 9396 section 6.1). */
  async function detailsWithin({ client, parameters }: TokenRequest, { claims }: OwnAccessToken): Promise<AuthorizationDetails> {
    // The claim is one that this server signed: it has the shape it was given.
    const held = (claims[AUTHORIZATION_DETAILS] as AuthorizationDetails | undefined) ?? NO_DETAILS;
    const asked = namesDetails(parameters) ? await detailRequests.requested(parameters, client) : undefined;
    if (asked !== undefined && !isWithinDetails(asked, held)) {
      throw new InvalidAuthorizationDetails('The authorization_details are more than the subject_token has.');
    }
    return detailRequests.remaining(asked ?? held, client);
  }
}

/** Where no entry of the status lists ends a token with those it came of, it says which they are, and is looked at with them. */
function originsOf({ jti, exchangedFrom }: OwnAccessToken): Readonly<Record<string, unknown>> {
  if (exchangedFrom.length >= MOST_ACTORS) {
    throw new InvalidRequest(`The subject_token was exchanged ${MOST_ACTORS} times already.`);
  }
  return { [EXCHANGED_FROM]: [...exchangedFrom, jti] };
}

/** RFC 8693 section 3. An access token of this server is a JWT: whoever asks for either gets the same, under the name it asked for. */
function requestedTokenType(parameters: Parameters): string {
  const type = parameters.get('requested_token_type') ?? ACCESS_TOKEN;
  if (type !== ACCESS_TOKEN && type !== JWT) {
    throw new InvalidRequest(`The requested_token_type must be ${ACCESS_TOKEN}, or ${JWT} for the same.`);
  }
  return type;
}

/** @throws InvalidScope when more is asked for than both the subject token and the policy have. */
function scopeWithin(parameters: Parameters, { claims: { scope } }: OwnAccessToken, policy: TokenExchangePolicy): Scope {
  // Registration refuses those too: they would open the userinfo endpoint to a client that nobody logged in at.
  const permitted = parseScope(policy.scope).filter((value) => !openIdScopes.includes(value));
  const allowed = parseScope(typeof scope === 'string' ? scope : '').filter((value) => permitted.includes(value));
  return requestedScope(parameters, allowed, allowed);
}

function subjectOf(token: OwnAccessToken | undefined): string | undefined {
  return typeof token?.claims['sub'] === 'string' ? token.claims['sub'] : undefined;
}
