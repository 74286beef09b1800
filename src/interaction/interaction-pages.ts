import type { Users } from '../accounts/user.ts';
import type { AddressedRequest } from '../authorization/authorization.ts';
import type { AuthorizationDetail } from '../authorization-details/authorization-detail.ts';
import type { DetailTypes } from '../authorization-details/detail-types.ts';
import { canBeImpersonated, cspSource } from '../clients/redirect-uri.ts';
import { displayedName } from '../clients/self-description.ts';
import type { ProtocolRequest, ProtocolResponse } from '../core/endpoint.ts';
import type { DeferredRequest } from '../deferred-requests/deferred-request.ts';
import { networkOf } from '../limits/network.ts';
import type { ConsentDetail } from '../pages/consent-details.ts';
import { type ConsentElsewhere, consentPage, type UnverifiedClient } from '../pages/consent-page.ts';
import type { Language } from '../pages/languages.ts';
import { chooseLanguage } from '../pages/languages.ts';
import type { LoginProblem } from '../pages/login-page.ts';
import { loginPage } from '../pages/login-page.ts';
import { describeRedirect } from '../pages/redirect-description.ts';
import type { ClientOrigin } from '../pages/self-registered.ts';
import type { Resources } from '../resources/registered-resources.ts';
import { consentItems, isRemembered, shownScope } from './consent-prompt.ts';
import type { FormPurpose, Forms } from './forms.ts';
import type { PendingRequests } from './pending-request.ts';
import type { Situation } from './prompt.ts';

/** Where the forms of the pages are posted, as paths of this server. */
export interface InteractionPaths {
  readonly login: string;
  readonly secondFactor: string;
  readonly enrolment: string;
  readonly consent: string;
  readonly logout: string;
  /** Goes on with a signed request. */
  readonly resume: string;
  /** Where a device's code is entered. */
  readonly device: string;
  /** Where users find what is asked of them in the back channel. */
  readonly approvals: string;
}

/** What went wrong with the login form that is shown again. */
export interface LoginFailure {
  readonly problem: LoginProblem;
  readonly username: string | undefined;
  readonly retryAfterSeconds?: number;
}

/** The pages of an authorization, with the forms that lead on from them. */
export interface InteractionPages {
  login(request: ProtocolRequest, situation: Situation, failure?: LoginFailure): ProtocolResponse;
  consent(request: ProtocolRequest, situation: Situation): Promise<ProtocolResponse>;
}

const STATUS_OF_PROBLEM: Readonly<Record<LoginProblem, number>> = { refused: 400, expired: 400, throttled: 429 };

export function interactionPages(rooms: {
  readonly paths: InteractionPaths;
  readonly forms: Forms;
  readonly pendingRequests: PendingRequests;
  readonly users: Users;
  readonly resources: Pick<Resources, 'registered'>;
  readonly detailTypes: Pick<DetailTypes, 'find'>;
}): InteractionPages {
  const { paths, forms, pendingRequests, users, resources, detailTypes } = rooms;

  return {
    login(request, situation, failure) {
      const { addressed, authorization } = situation;
      const signed = pendingRequests.sign(situation.pending);
      const form = forms.issue(request, loginPurpose(signed));
      return {
        kind: 'page',
        status: failure === undefined ? 200 : STATUS_OF_PROBLEM[failure.problem],
        html: loginPage({
          language: languageOf(request, situation),
          clientName: nameOf(situation),
          origin: originOf(languageOf(request, situation), situation),
          action: paths.login,
          hidden: { request: signed, form_token: form.token },
          username: failure?.username ?? authorization.loginHint,
          problem: failure?.problem,
          retryAfterSeconds: failure?.retryAfterSeconds,
        }),
        formTargets: formTargetsOf(addressed),
        cookies: form.cookies,
        headers: failure?.retryAfterSeconds === undefined ? {} : { 'retry-after': String(failure.retryAfterSeconds) },
      };
    },

    async consent(request, situation) {
      const { addressed, authorization, session } = situation;
      const user = session === undefined ? undefined : await users.find(session.userId);
      const registered = await resources.registered();
      const signed = pendingRequests.sign(situation.pending);
      const form = forms.issue(request, consentPurpose(signed, situation));
      const language = languageOf(request, situation);
      const { client_uri, policy_uri, tos_uri } = addressed.client.metadata;
      return {
        kind: 'page',
        status: 200,
        html: consentPage({
          language,
          client: {
            name: nameOf(situation),
            uri: client_uri,
            policyUri: policy_uri,
            tosUri: tos_uri,
            origin: originOf(language, situation),
          },
          unverified: unverifiedOf(addressed),
          username: user?.username ?? '',
          scopes: shownScope(authorization),
          details: await Promise.all(authorization.authorizationDetails.map(inWords)),
          resources: authorization.resources.map((identifier) => ({
            identifier,
            name: registered.get(identifier)?.metadata.resource_name,
          })),
          redirectTo: addressed.redirectUri === undefined ? undefined : describeRedirect(language, addressed.redirectUri),
          deferred: addressed.deferred && elsewhere(addressed.deferred, situation, request),
          remembered: isRemembered(addressed, authorization),
          action: paths.consent,
          hidden: { request: signed, form_token: form.token },
        }),
        formTargets: formTargetsOf(addressed),
        cookies: form.cookies,
      };
    },
  };

  async function inWords(detail: AuthorizationDetail): Promise<ConsentDetail> {
    // A type that was deleted a moment ago keeps its name, and the answer will be refused.
    const type = await detailTypes.find(detail.type);
    return { words: type?.definition ?? { display_name: { en: detail.type } }, detail };
  }
}

/** What a user is warned of where no operator knows the client. */
function unverifiedOf({ client, redirectUri }: AddressedRequest): UnverifiedClient | undefined {
  const { id, metadata, selfRegistered } = client;
  if (selfRegistered === undefined) {
    return undefined;
  }
  const { host } = selfRegistered;
  return { host, claimedName: metadata.client_name ?? id, redirect: directionOf(redirectUri, host) };
}

function directionOf(redirectUri: string | undefined, host: string): UnverifiedClient['redirect'] {
  if (redirectUri === undefined) {
    return 'none';
  }
  if (canBeImpersonated(redirectUri)) {
    return 'this device';
  }
  return new URL(redirectUri).host === host ? 'own host' : 'other host';
}

/** What the login form's token is good for. */
export function loginPurpose(signedRequest: string): FormPurpose {
  return { action: 'login', subject: signedRequest };
}

/**
 * What the consent form's token is good for: the decision of the user of that session, and of no other who logs in meanwhile, about what the page
 * showed, and no more that the request has come to ask for since (its client or a resource was registered anew).
 */
export function consentPurpose(
  signedRequest: string,
  { addressed, authorization, session }: Pick<Situation, 'addressed' | 'authorization' | 'session'>,
): FormPurpose {
  return { action: 'consent', subject: JSON.stringify([signedRequest, ...consentItems(addressed, authorization)]), sessionId: session?.id };
}

/** The language of the request, or of the browser. */
export function languageOf({ headers }: ProtocolRequest, { authorization }: Situation): Language {
  const accepted = headers['accept-language'];
  return chooseLanguage(authorization.uiLocales, typeof accepted === 'string' ? accepted : undefined);
}

/** Where the forms of its pages may lead beyond this server. */
export function formTargetsOf({ redirectUri }: Pick<AddressedRequest, 'redirectUri'>): readonly string[] {
  return redirectUri === undefined ? [] : [cspSource(redirectUri)];
}

/** RFC 10027, "Shared network": users are told, and judge, for a telephone often is on another network than the device beside it. */
function elsewhere(
  { kind, parameters, remoteAddress }: DeferredRequest,
  { pending }: Situation,
  request: ProtocolRequest,
): ConsentElsewhere {
  return {
    userCode: pending.entry?.userCode,
    backchannel: kind === 'ciba' ? { bindingMessage: parameters.get('binding_message') } : undefined,
    address: remoteAddress,
    isSameNetwork: networkOf(remoteAddress) === networkOf(request.remoteAddress),
  };
}

/** What the client is called. */
export function nameOf({ addressed: { client } }: Situation): string {
  return displayedName(client);
}

/** What users are told of a client that registered itself; undefined of one that the operator did. */
function originOf(language: Language, { addressed: { client, redirectUri } }: Situation): ClientOrigin | undefined {
  const { registeredItself } = client;
  return (
    registeredItself && {
      nameVouchedFor: registeredItself.nameVouchedFor,
      redirectTo: redirectUri === undefined ? undefined : describeRedirect(language, redirectUri),
    }
  );
}
