import type { AllowedAuthorization, GrantRecorder } from '../authorization/grant-recorder.ts';
import type { AuditTrail } from '../core/audit.ts';
import type { Clock } from '../core/clock.ts';
import type { ProtocolRequest, ProtocolResponse } from '../core/endpoint.ts';
import { AccessDenied, InvalidRequest, type OAuthError } from '../core/errors.ts';
import type { Decision, DeferredRequest, DeferredRequests } from '../deferred-requests/deferred-request.ts';
import type { Grants } from '../grants/grants.ts';
import { deferredAnswerPage } from '../pages/device-page.ts';
import { chooseLanguage } from '../pages/languages.ts';
import type { Session } from './session.ts';

/** What a user's decision means for a deferred request: it is recorded, and the client finds out when it polls next. */
export interface DeferredAnswers {
  /**
   * Makes the grant, and decides the request by it.
   * @throws AccessDenied when the login is over; InvalidRequest when the request was answered before, or is too old: to be shown.
   */
  allow(deferred: DeferredRequest, allowed: AllowedAuthorization, request: ProtocolRequest): Promise<ProtocolResponse>;
  /** @throws the error unless the user said no; InvalidRequest as above. */
  refuse(deferred: DeferredRequest, error: OAuthError, session: Session | undefined, request: ProtocolRequest): Promise<ProtocolResponse>;
}

// None was issued, and none can be made up: the grant's first credential is what the client polls with.
const NO_CODE = { redirectUri: '', redirectUriGiven: false, codeChallenge: undefined } as const;

export function deferredAnswers(rooms: {
  readonly deferredRequests: Pick<DeferredRequests, 'decide'>;
  readonly grants: Pick<Grants, 'revoke'>;
  readonly recordGrant: GrantRecorder;
  readonly clock: Clock;
  readonly audit: AuditTrail;
  /** Called when there may be something to deliver. */
  readonly deliverSoon: () => void;
}): DeferredAnswers {
  const { deferredRequests, grants, recordGrant, clock, audit } = rooms;

  return {
    async allow(deferred, allowed, request) {
      const now = clock.now();
      // The grant first: who dies between the two leaves a request that can still be decided, and a grant that nobody has a credential of.
      const grantId = await recordGrant(allowed, { code: NO_CODE, expiresAt: deferred.expiresAt }, now);
      if (grantId === undefined) {
        throw new AccessDenied('The login ended before the request was answered: begin again.');
      }
      if (!(await deferredRequests.decide(deferred.id, { kind: 'allowed', userId: allowed.userId, grantId }, now))) {
        await grants.revoke(grantId, 'already_decided', now);
        throw answeredBefore();
      }
      return decided(deferred, { kind: 'allowed', userId: allowed.userId, grantId }, request);
    },

    async refuse(deferred, error, session, request) {
      if (!(error instanceof AccessDenied) || session === undefined) {
        throw error;
      }
      const decision = { kind: 'denied', userId: session.userId } as const;
      if (!(await deferredRequests.decide(deferred.id, decision, clock.now()))) {
        throw answeredBefore();
      }
      return decided(deferred, decision, request);
    },
  };

  function decided(
    deferred: DeferredRequest,
    decision: Decision,
    { headers, remoteAddress, requestId }: ProtocolRequest,
  ): ProtocolResponse {
    const { kind, clientId, parameters } = deferred;
    rooms.deliverSoon();
    audit.record('deferred_request_decided', {
      kind,
      decision: decision.kind,
      clientId,
      userId: decision.userId,
      askedFrom: deferred.remoteAddress,
      remoteAddress,
      requestId,
    });
    const accepted = headers['accept-language'];
    const language = chooseLanguage(parameters.get('ui_locales'), typeof accepted === 'string' ? accepted : undefined);
    return {
      kind: 'page',
      status: 200,
      html: deferredAnswerPage({ language, isAllowed: decision.kind === 'allowed', isDevice: kind === 'device' }),
    };
  }
}

function answeredBefore(): InvalidRequest {
  return new InvalidRequest('The request was answered before, or is too old: begin again where you started it.');
}
