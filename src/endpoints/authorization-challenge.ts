import { methodsTold } from '../accounts/authentication-context.ts';
import type { AddressedRequest, Authorization } from '../authorization/authorization.ts';
import type { AuthorizationRequests } from '../authorization/authorization-requests.ts';
import type { CodeIssuer } from '../authorization/code-issuer.ts';
import { withProvenKey } from '../authorization/dpop-jkt.ts';
import type { PushedRequests } from '../authorization/pushed-requests.ts';
import { refuseTooLong } from '../authorization/received-request.ts';
import type { AuthenticatedClient, ClientAuthenticator } from '../clients/authentication.ts';
import { refuseThirdParty } from '../clients/first-party.ts';
import { mayUseGrantType } from '../clients/permissions.ts';
import type { Clock } from '../core/clock.ts';
import type { Endpoint, ProtocolRequest } from '../core/endpoint.ts';
import { AccessDenied, InvalidRequest, InvalidRequestUri, LoginRequired } from '../core/errors.ts';
import type { Parameters } from '../core/parameters.ts';
import { parametersOf, refuseRepeats } from '../core/parameters.ts';
import { digest } from '../core/secrets.ts';
import { fitsBinding } from '../grants/key-binding.ts';
import type { AppSessions } from '../interaction/app-sessions.ts';
import type { AuthSession, AuthSessions } from '../interaction/auth-session.ts';
import { AUTH_SESSION_SECONDS, InvalidSession } from '../interaction/auth-session.ts';
import type { AuthorizationFlow } from '../interaction/authorization-flow.ts';
import { CREDENTIALS, type LoginStep } from '../interaction/first-party-login.ts';
import type { lastChecks } from '../interaction/last-checks.ts';
import type { PendingRequest, PendingRequests } from '../interaction/pending-request.ts';
import type { webFallback } from '../interaction/web-fallback.ts';
import type { ProvenKey, SenderConstraint } from '../tokens/sender-constraint.ts';
import { provenKey, refuseUnbound } from '../tokens/sender-constraint.ts';

/**
 * draft-ietf-oauth-first-party-apps-03 section 4.1: an application of the operator's own sends what its user typed, and gets an authorization
 * code. Every step walks the rules from the start, as at the pages; cookies count for nothing.
 */
export function authorizationChallengeEndpoint(rooms: {
  readonly authenticateClient: ClientAuthenticator;
  readonly requests: AuthorizationRequests;
  readonly flow: Pick<AuthorizationFlow, 'due'>;
  readonly senderConstraints: readonly SenderConstraint[];
  readonly pendingRequests: PendingRequests;
  readonly pushedRequests: Pick<PushedRequests, 'use'>;
  readonly authSessions: AuthSessions;
  readonly appSessions: AppSessions;
  readonly logIn: (request: ProtocolRequest, halfDone: string | undefined) => Promise<LoginStep>;
  readonly refusalOf: ReturnType<typeof lastChecks>;
  readonly toWeb: ReturnType<typeof webFallback>;
  readonly issueCode: CodeIssuer;
  readonly clock: Clock;
}): Endpoint {
  const { authenticateClient, requests, flow, pendingRequests, authSessions, appSessions, clock } = rooms;

  return {
    path: PATH,
    methods: ['POST'],
    metadataName: 'authorization_challenge_endpoint',
    // Not crossOrigin: section 9.8 advises against applications in a browser, which is at the login page already.
    countsCallers: true,
    async handle(request) {
      refuseBrowsers(request);
      refuseRepeats(request.form, ['resource']);
      const text = request.form.get('auth_session');
      const opened = text === undefined ? undefined : authSessions.open(text, clock.now());
      const client = await authenticateClient(opened === undefined ? request : namedBy(opened, request));
      refuseThirdParty(client);
      const proven = await provenKey(rooms.senderConstraints, request, PATH, client);
      refuseUnbound(client, proven);
      const session = text === undefined ? undefined : ownSession(opened, client, proven);
      const pending = await (session === undefined ? begun(request, client) : continued(request, session));
      const received = { ...pending, parameters: withProvenKey(pending.parameters, proven) };
      refuseTooLong(received);
      const addressed = requests.addressDirectly(received, client);
      const authorization = await requests.authorization(addressed);
      if (authorization.prompts.includes('none')) {
        throw new LoginRequired('There is no session here that prompt=none could go by: leave it out.');
      }
      const headers = proven?.headers ?? {};
      const step = await rooms.logIn(request, session?.login);
      if (step.kind === 'done') {
        return { ...(await finish(step, { addressed, authorization, pending: received }, request)), headers };
      }
      const auth_session = authSessions.seal({
        clientId: client.id,
        confirmation: session?.confirmation ?? proven?.confirmation,
        request: session?.request ?? pendingRequests.sign(received),
        login: step.kind === 'otp_due' ? step.login : undefined,
        endsAt: session?.endsAt ?? clock.now() + AUTH_SESSION_SECONDS,
        reference: session === undefined ? referenceIn(request.form) : session.reference,
      });
      return { kind: 'json', status: 400, body: { ...insufficient(step), auth_session }, headers };
    },
  };

  /** Of a new login: the request, in whatever form it comes. */
  async function begun({ form }: ProtocolRequest, client: AuthenticatedClient): Promise<PendingRequest> {
    const parameters = parametersOf([['client_id', client.id], ...requestEntries(form)]);
    return { ...(await requests.receive(parameters)), startedAt: clock.now(), sessionAtStart: '' };
  }

  /** Of a login that goes on: the request that it began with. What a client repeats of it must be the same: nothing is asked for on the way. */
  async function continued({ form }: ProtocolRequest, session: AuthSession): Promise<PendingRequest> {
    const pending = await pendingRequests.open(session.request, clock.now());
    if (pending === undefined) {
      throw new InvalidSession('the request in it is too old, or the server secret it was signed with is gone');
    }
    if (session.reference !== undefined && session.reference === referenceIn(form)) {
      // As in the first request, nothing beside it counts.
      return pending;
    }
    const another = requestEntries(form).find(([name, value]) => value !== '' && !pending.parameters.all(name).includes(value));
    if (another !== undefined) {
      throw new InvalidRequest(
        'With an auth_session the authorization request is the one it began with: leave it out, or repeat it as it was.',
      );
    }
    return pending;
  }

  /** The user has shown all there was to show: a code, or what only a browser can do. */
  async function finish(
    { userId, methods }: Extract<LoginStep, { kind: 'done' }>,
    { addressed, authorization, pending }: Requested,
    request: ProtocolRequest,
  ): Promise<{ readonly kind: 'json'; readonly status: number; readonly body: object }> {
    const now = clock.now();
    const session = appSessions.of({ userId, methods, refreshes: mayUseGrantType(addressed.client, 'refresh_token') }, now);
    const situation = { addressed, authorization, pending, session, now };
    if (isForUserToAllow(addressed) || (await flow.due(situation)) !== undefined) {
      return { kind: 'json', status: 400, body: { ...REDIRECT_TO_WEB, ...(await rooms.toWeb(addressed, authorization)) } };
    }
    const refusal = rooms.refusalOf(situation, request);
    if (refusal !== undefined) {
      throw refusal;
    }
    // Before anything is given, as at the pages: of two answers to one pushed request the later has nothing.
    if (addressed.pushedId !== undefined && !(await rooms.pushedRequests.use(addressed.pushedId, now))) {
      throw new InvalidRequestUri('The pushed request was answered before: begin again.');
    }
    await appSessions.begin(session);
    const authentication = { ...session, methods: methodsTold(methods, authorization.contextClasses?.values ?? []) };
    const code = await rooms.issueCode({ addressed, authorization, authentication, userId, requestId: request.requestId }, now);
    if (code === undefined) {
      throw new AccessDenied('The login ended before the request was answered: begin again.');
    }
    return { kind: 'json', status: 200, body: { authorization_code: code } };
  }
}

interface Requested {
  readonly addressed: AddressedRequest;
  readonly authorization: Authorization;
  readonly pending: PendingRequest;
}

const PATH = '/authorize-challenge';
const OUTSIDE_THE_REQUEST = [...CREDENTIALS, 'auth_session', 'client_id', 'client_secret', 'client_assertion', 'client_assertion_type'];

const REDIRECT_TO_WEB = {
  error: 'redirect_to_web',
  error_description: 'The user has something to do that only the pages can show: send a browser to the authorization endpoint.',
};

/** Digest of what a request names in place of its parameters (RFC 9101, RFC 9126). */
function referenceIn(form: Parameters): string | undefined {
  const reference = form.get('request') ?? form.get('request_uri');
  return reference === undefined ? undefined : digest(reference);
}

function requestEntries({ entries }: Parameters): Parameters['entries'] {
  return entries.filter(([name]) => !OUTSIDE_THE_REQUEST.includes(name));
}

/**
 * Browsers name the origin of the page with every POST. What a page of another site has its visitors' browsers send would be guesses from their
 * addresses; and whoever is in a browser can go to the login page.
 */
function refuseBrowsers({ headers, query }: ProtocolRequest): void {
  if (headers['origin'] !== undefined) {
    throw new InvalidRequest('This endpoint is not for pages in a browser: send the browser to the authorization endpoint.');
  }
  // What stands in an address ends up in logs and histories.
  if (query.entries.length > 0) {
    throw new InvalidRequest('The parameters must be sent in the body, never in the URL.');
  }
}

/** Section 5.1: the `client_id` may be left out where the `auth_session` says which it is. */
function namedBy({ clientId }: AuthSession, request: ProtocolRequest): ProtocolRequest {
  const { form, headers } = request;
  const saysWho = headers['authorization'] !== undefined || ['client_id', 'client_assertion'].some((name) => form.get(name) !== undefined);
  return saysWho ? request : { ...request, form: parametersOf([['client_id', clientId], ...form.entries]) };
}

/** Section 9.6.1: bound to its client, and to the key that was proven when it began. @throws InvalidSession */
function ownSession(opened: AuthSession | undefined, client: AuthenticatedClient, proven: ProvenKey | undefined): AuthSession {
  if (opened === undefined) {
    throw new InvalidSession('not sealed here, or too old');
  }
  if (opened.clientId !== client.id) {
    throw new InvalidSession('of another client');
  }
  if (!fitsBinding(opened.confirmation, proven?.confirmation)) {
    throw new InvalidSession('bound to another key');
  }
  return opened;
}

/** A name proves nothing, and here not even a redirect URI does: of a public client the user is asked, unless the operator has said otherwise. */
function isForUserToAllow({ client }: AddressedRequest): boolean {
  return !client.isConfidential && !client.metadata.skip_consent;
}

/** Section 5.2.2: what the client is to ask its user for, in members of our own. */
function insufficient(step: Exclude<LoginStep, { kind: 'done' }>): Readonly<Record<string, unknown>> {
  const error = 'insufficient_authorization';
  return step.kind === 'password_due'
    ? { error, error_description: step.refused ? WRONG_PASSWORD : PASSWORD_DUE, password_required: true }
    : { error, error_description: step.refused ? WRONG_CODE : CODE_DUE, otp_required: true };
}

const PASSWORD_DUE = 'Ask the user for username and password, and send both with the auth_session.';
const WRONG_PASSWORD = 'The username or the password is wrong.';
const CODE_DUE = 'Ask the user for a code of their authenticator, or a recovery code, and send it as otp with the auth_session.';
const WRONG_CODE = 'The code is wrong, or was used before.';
