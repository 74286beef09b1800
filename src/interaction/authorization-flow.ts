import { addressRequest } from '../authorization/addressed-request.ts';
import type { AddressedRequest, Authorization, AuthorizationRule } from '../authorization/authorization.ts';
import { authorizationOf } from '../authorization/authorization.ts';
import type { CodeIssuer } from '../authorization/code-issuer.ts';
import { authorizationErrorResponse } from '../authorization/response.ts';
import type { Clients } from '../clients/clients.ts';
import type { Clock } from '../core/clock.ts';
import type { ProtocolRequest, ProtocolResponse } from '../core/endpoint.ts';
import { OAuthError } from '../core/errors.ts';
import type { BrowserSessions } from './browser-sessions.ts';
import type { InteractionPages } from './interaction-pages.ts';
import type { PendingRequest } from './pending-request.ts';
import type { Prompt, Situation } from './prompt.ts';
import type { Session } from './session.ts';

/** The way of an authorization request: client and redirect URI, rules, prompts, code. Every step of a browser walks it from the start. */
export interface AuthorizationFlow {
  /**
   * As far as the request gets by itself: a page for the user, an error for the client, or a code.
   * @throws InvalidRequest when client or redirect URI is not proven: to be shown, never redirected.
   */
  proceed(pending: PendingRequest, request: ProtocolRequest): Promise<ProtocolResponse>;
  /**
   * Where the request stands, for a form that is posted to it.
   * @throws InvalidRequest as above. @returns a response instead, when the request broke a rule meanwhile.
   */
  situation(pending: PendingRequest, request: ProtocolRequest): Promise<Situation | ProtocolResponse>;
  /** The prompt that is due first, apart from those answered in this very step. */
  due(situation: Situation, answered?: Prompt['name']): Promise<Prompt | undefined>;
  /** Gives the client its code: the user has done all there was to do. */
  complete(situation: Situation & { readonly session: Session }, requestId: string): Promise<ProtocolResponse>;
}

export function authorizationFlow(rooms: {
  readonly issuer: string;
  readonly clients: Clients;
  readonly rules: readonly AuthorizationRule[];
  readonly prompts: readonly Prompt[];
  readonly sessions: BrowserSessions;
  readonly issueCode: CodeIssuer;
  readonly pages: InteractionPages;
  readonly clock: Clock;
}): AuthorizationFlow {
  const { issuer, clients, rules, prompts, sessions, issueCode, pages, clock } = rooms;

  const flow: AuthorizationFlow = {
    async proceed(pending, request) {
      const situation = await flow.situation(pending, request);
      if ('kind' in situation) {
        return situation;
      }
      const prompt = await flow.due(situation);
      if (prompt === undefined && situation.session !== undefined) {
        return flow.complete({ ...situation, session: situation.session }, request.requestId);
      }
      if (prompt !== undefined && situation.authorization.prompts.includes('none')) {
        return authorizationErrorResponse(situation.addressed, issuer, prompt.errorWhenSilent());
      }
      return prompt?.name === 'consent' ? pages.consent(request, situation) : pages.login(request, situation);
    },

    async situation(pending, request) {
      const addressed = await addressRequest(clients, pending.parameters);
      const authorization = ruledAuthorization(addressed);
      if ('kind' in authorization) {
        return authorization;
      }
      const now = clock.now();
      const session = await sessions.current(request, now);
      const sessionAtStart = pending.sessionAtStart ?? session?.id ?? '';
      return { addressed, authorization, pending: { ...pending, sessionAtStart }, session, now };
    },

    async due(situation, answered) {
      for (const prompt of prompts) {
        if (prompt.name !== answered && (await prompt.isDue(situation))) {
          return prompt;
        }
      }
      return undefined;
    },

    async complete({ addressed, authorization, session, now }, requestId) {
      return issueCode({ addressed, authorization, authentication: session, userId: session.userId, requestId }, now);
    },
  };
  return flow;

  function ruledAuthorization(addressed: AddressedRequest): Authorization | ProtocolResponse {
    try {
      return authorizationOf(addressed, rules);
    } catch (error) {
      if (error instanceof OAuthError) {
        return authorizationErrorResponse(addressed, issuer, error);
      }
      throw error;
    }
  }
}
