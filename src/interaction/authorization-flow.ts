import { methodsTold } from '../accounts/authentication-context.ts';
import type { AddressedRequest, Authorization } from '../authorization/authorization.ts';
import type { AuthorizationRequests } from '../authorization/authorization-requests.ts';
import type { CodeIssuer } from '../authorization/code-issuer.ts';
import type { PushedRequests } from '../authorization/pushed-requests.ts';
import type { ReceivedRequest } from '../authorization/received-request.ts';
import { plainRequest } from '../authorization/received-request.ts';
import type { AnswerOccasion } from '../authorization/response.ts';
import { authorizationErrorResponse, authorizationResponse } from '../authorization/response.ts';
import type { Clock } from '../core/clock.ts';
import type { ProtocolRequest, ProtocolResponse } from '../core/endpoint.ts';
import { AccessDenied, InvalidRequest, InvalidRequestUri, OAuthError, RequestFormNotSupported } from '../core/errors.ts';
import type { Parameters } from '../core/parameters.ts';
import type { RequestLimits } from '../limits/request-limits.ts';
import { chooseLanguage } from '../pages/languages.ts';
import type { Subjects } from '../tokens/subjects.ts';
import type { BrowserSessions } from './browser-sessions.ts';
import type { DeferredAnswers } from './deferred-answers.ts';
import type { Forms } from './forms.ts';
import type { InteractionPages } from './interaction-pages.ts';
import { anotherUser, lastChecks } from './last-checks.ts';
import type { PendingRequest } from './pending-request.ts';
import type { Prompt, Situation } from './prompt.ts';
import type { SecondFactorPages } from './second-factor-pages.ts';
import type { Session } from './session.ts';

/** The way of an authorization request: client and redirect URI, rules, prompts, code. Every step of a browser walks it from the start. */
export interface AuthorizationFlow {
  /**
   * Takes a request in, out of whatever form it has.
   * @returns a response instead, when that form is wrong and what is beside it says where to tell the client.
   * @throws OAuthError when it does not: to be shown, never redirected.
   */
  begin(parameters: Parameters, request: ProtocolRequest): Promise<PendingRequest | ProtocolResponse>;
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
  /**
   * Gives the client its code: the user has done all there was to do.
   * @throws InvalidRequestUri when it was pushed and has been answered before.
   */
  complete(situation: Situation & { readonly session: Session }, request: ProtocolRequest): Promise<ProtocolResponse>;
  /**
   * Gives the client an error, which answers the request as a code does.
   * @throws as `complete`; and the error itself when the request is deferred, unless it is the user's own refusal: then it is shown, and the
   *   request stays open.
   */
  refuse(
    situation: Pick<Situation, 'addressed'> & Partial<Pick<Situation, 'session'>>,
    error: OAuthError,
    request: ProtocolRequest,
  ): Promise<ProtocolResponse>;
}

export function authorizationFlow(rooms: {
  readonly issuer: string;
  readonly requests: Omit<AuthorizationRequests, 'addressDirectly'>;
  readonly pushedRequests: Pick<PushedRequests, 'use'>;
  readonly prompts: readonly Prompt[];
  readonly sessions: BrowserSessions;
  readonly issueCode: CodeIssuer;
  readonly deferredAnswers: DeferredAnswers;
  readonly forms: Pick<Forms, 'browserTag'>;
  readonly subjects: Subjects;
  readonly pages: InteractionPages;
  readonly secondFactorPages: Pick<SecondFactorPages, 'stepUp'>;
  readonly limits: Pick<RequestLimits, 'user'>;
  readonly clock: Clock;
}): AuthorizationFlow {
  const { issuer, requests, pushedRequests, prompts, sessions, issueCode, deferredAnswers, subjects, clock } = rooms;
  const refusalOf = lastChecks(rooms);

  const flow: AuthorizationFlow = {
    async begin(parameters, request) {
      const startedAt = clock.now();
      try {
        return { ...(await requests.receive(parameters)), startedAt, sessionAtStart: undefined };
      } catch (error) {
        // Where a pushed request would have gone is not known, and the browser's word for it does not count.
        if (!(error instanceof OAuthError) || error instanceof InvalidRequestUri) {
          throw error;
        }
        const outside = requests.address(plainRequest(parameters));
        // A form that is not supported leaves the parameters beside it, and what is wrong with them.
        const addressed = error instanceof RequestFormNotSupported ? await outside : await outside.catch(refused);
        if (addressed === undefined) {
          throw error;
        }
        return authorizationErrorResponse(addressed, issuer, error, occasion(addressed, request));
      }
    },

    async proceed(pending, request) {
      const situation = await flow.situation(pending, request);
      if ('kind' in situation) {
        return situation;
      }
      const prompt = await flow.due(situation);
      const another = prompt?.name === 'login' ? undefined : anotherUser(subjects, situation);
      if (another !== undefined) {
        return flow.refuse(situation, another, request);
      }
      if (prompt === undefined && situation.session !== undefined) {
        return flow.complete({ ...situation, session: situation.session }, request);
      }
      if (prompt !== undefined && situation.authorization.prompts.includes('none')) {
        return flow.refuse(situation, prompt.errorWhenSilent(), request);
      }
      return pageFor(prompt?.name, situation, request);
    },

    async situation(pending, request) {
      if (pending.entry !== undefined && pending.entry.browser !== rooms.forms.browserTag(request)) {
        throw new InvalidRequest('The code was entered in another browser: enter it in this one.');
      }
      const addressed = await requests.address(pending);
      const authorization = await ruledAuthorization(addressed, request);
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

    async complete(situation, request) {
      const refusal = refusalOf(situation, request);
      if (refusal !== undefined) {
        return flow.refuse(situation, refusal, request);
      }
      const { addressed, authorization, session, now } = situation;
      const authentication = { ...session, methods: methodsTold(session.methods, authorization.contextClasses?.values ?? []) };
      const allowed = { addressed, authorization, authentication, userId: session.userId, requestId: request.requestId };
      if (addressed.deferred !== undefined) {
        return deferredAnswers.allow(addressed.deferred, allowed, request);
      }
      await answerOnce(addressed);
      const code = await issueCode(allowed, now);
      if (code === undefined) {
        // The user logged out, or was logged out, since the session was looked at.
        const error = new AccessDenied('The login ended before the request was answered: begin again.');
        return authorizationErrorResponse(addressed, issuer, error, occasion(addressed, request));
      }
      return authorizationResponse(addressed, issuer, { code }, occasion(addressed, request));
    },

    async refuse({ addressed, session }, error, request) {
      if (addressed.deferred !== undefined) {
        return deferredAnswers.refuse(addressed.deferred, error, session, request);
      }
      await answerOnce(addressed);
      return authorizationErrorResponse(addressed, issuer, error, occasion(addressed, request));
    },
  };
  return flow;

  async function ruledAuthorization(addressed: AddressedRequest, request: ProtocolRequest): Promise<Authorization | ProtocolResponse> {
    try {
      return await requests.authorization(addressed);
    } catch (error) {
      if (error instanceof OAuthError) {
        return flow.refuse({ addressed }, error, request);
      }
      throw error;
    }
  }

  function pageFor(
    due: Prompt['name'] | undefined,
    situation: Situation,
    request: ProtocolRequest,
  ): ProtocolResponse | Promise<ProtocolResponse> {
    const { session } = situation;
    if (due === 'second-factor' && session !== undefined) {
      return rooms.secondFactorPages.stepUp(request, { ...situation, session });
    }
    return due === 'consent' ? rooms.pages.consent(request, situation) : rooms.pages.login(request, situation);
  }

  /** Before anything is given: of two answers to one pushed request (two tabs, two nodes) the later has nothing. */
  async function answerOnce({ pushedId }: ReceivedRequest): Promise<void> {
    if (pushedId !== undefined && !(await pushedRequests.use(pushedId, clock.now()))) {
      throw new InvalidRequestUri('The pushed request was answered before: begin again.');
    }
  }

  function occasion({ parameters }: AddressedRequest, { headers }: ProtocolRequest): AnswerOccasion {
    const accepted = headers['accept-language'];
    const language = chooseLanguage(parameters.get('ui_locales'), typeof accepted === 'string' ? accepted : undefined);
    return { language, now: clock.now() };
  }
}

/** A request that cannot be addressed is no place for an error; an outage is one of its own. */
function refused(error: unknown): undefined {
  if (!(error instanceof OAuthError)) {
    throw error;
  }
  return undefined;
}
