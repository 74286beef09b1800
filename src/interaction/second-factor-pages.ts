import type { SecondFactors } from '../accounts/second-factor.ts';
import { totpUri } from '../accounts/totp.ts';
import type { TotpEnrolment, TotpOffer } from '../accounts/totp-enrolment.ts';
import type { User, Users } from '../accounts/user.ts';
import type { ProtocolRequest, ProtocolResponse } from '../core/endpoint.ts';
import { enrolmentPage, recoveryCodesPage } from '../pages/enrolment-page.ts';
import { type SecondFactorProblem, secondFactorPage } from '../pages/second-factor-page.ts';
import type { FormPurpose, Forms } from './forms.ts';
import { formTargetsOf, type InteractionPages, type InteractionPaths, languageOf, nameOf } from './interaction-pages.ts';
import type { PendingRequests } from './pending-request.ts';
import type { Situation } from './prompt.ts';
import type { Session } from './session.ts';

/** What went wrong with the form that is shown again. */
export interface SecondFactorFailure {
  readonly problem: SecondFactorProblem;
  readonly retryAfterSeconds?: number;
}

/** A request in the browser of a user who is logged in. */
export type LoggedInSituation = Situation & { readonly session: Session };

/** The pages for second factors, with the forms that lead on from them. */
export interface SecondFactorPages {
  /** Asks for the code that ends a half-done login. @param login as `HalfDoneLogins.sign` gave it. */
  login(request: ProtocolRequest, situation: Situation, login: string, failure?: SecondFactorFailure): ProtocolResponse;
  /**
   * Asks a user who is logged in for a code or, where there is no factor yet, to set one up. Before that the password is asked for again, unless
   * it has just been typed: whoever took over a session must not be able to make themselves the owner of the account's second factor.
   */
  stepUp(request: ProtocolRequest, situation: LoggedInSituation, failure?: SecondFactorFailure): Promise<ProtocolResponse>;
  /** Shows an offer again whose code was wrong. */
  enrolment(
    request: ProtocolRequest,
    situation: LoggedInSituation,
    user: User,
    offer: TotpOffer,
    failure?: SecondFactorFailure,
  ): ProtocolResponse;
  /** Shows the recovery codes, once. */
  recoveryCodes(request: ProtocolRequest, situation: Situation, codes: readonly string[]): ProtocolResponse;
}

/** How old a login may be that a second factor is set up in. */
const ENROLMENT_LOGIN_SECONDS = 300;
const STATUS_OF_PROBLEM: Readonly<Record<SecondFactorProblem, number>> = { refused: 400, throttled: 429 };

export function secondFactorPages(rooms: {
  readonly issuer: string;
  readonly paths: InteractionPaths;
  readonly forms: Forms;
  readonly pendingRequests: PendingRequests;
  readonly users: Pick<Users, 'find'>;
  readonly secondFactors: Pick<SecondFactors, 'find'>;
  readonly totpEnrolment: Pick<TotpEnrolment, 'offer'>;
  readonly pages: Pick<InteractionPages, 'login'>;
}): SecondFactorPages {
  const { issuer, paths, forms, pendingRequests, users, secondFactors, totpEnrolment } = rooms;

  const pages: SecondFactorPages = {
    login: (request, situation, login, failure) =>
      codePage(request, situation, (signed) => secondFactorPurpose(signed, { login }), { login }, failure),

    async stepUp(request, situation, failure) {
      const { session, now } = situation;
      if ((await secondFactors.find(session.userId)) !== undefined) {
        return codePage(request, situation, (signed) => secondFactorPurpose(signed, { session }), {}, failure);
      }
      if (now - session.loginTime >= ENROLMENT_LOGIN_SECONDS) {
        return rooms.pages.login(request, situation);
      }
      const user = await users.find(session.userId);
      if (user === undefined) {
        throw new Error('a session without its user');
      }
      return pages.enrolment(request, situation, user, totpEnrolment.offer(user.id));
    },

    enrolment(request, situation, user, offer, failure) {
      const signed = pendingRequests.sign(situation.pending);
      const form = forms.issue(request, enrolmentPurpose(signed, situation.session));
      const html = enrolmentPage({
        language: languageOf(request, situation),
        clientName: nameOf(situation),
        secret: offer.secret,
        uri: totpUri(offer.secret, { issuer: new URL(issuer).host, username: user.username }),
        action: paths.enrolment,
        hidden: { request: signed, offer: offer.sealedSecret, form_token: form.token },
        problem: failure?.problem,
      });
      return { ...around(situation, failure), html, cookies: form.cookies };
    },

    recoveryCodes(request, situation, codes) {
      const html = recoveryCodesPage({
        language: languageOf(request, situation),
        codes,
        action: paths.enrolment,
        hidden: { request: pendingRequests.sign(situation.pending) },
      });
      return { ...around(situation), html };
    },
  };
  return pages;

  function codePage(
    request: ProtocolRequest,
    situation: Situation,
    purposeOf: (signed: string) => FormPurpose,
    more: Readonly<Record<string, string>>,
    failure: SecondFactorFailure | undefined,
  ): ProtocolResponse {
    const signed = pendingRequests.sign(situation.pending);
    const form = forms.issue(request, purposeOf(signed));
    const html = secondFactorPage({
      language: languageOf(request, situation),
      clientName: nameOf(situation),
      action: paths.secondFactor,
      hidden: { request: signed, ...more, form_token: form.token },
      ...failure,
    });
    return { ...around(situation, failure), html, cookies: form.cookies };
  }
}

/** What the code's form is good for: this request, and either one half-done login or one session. */
export function secondFactorPurpose(
  signedRequest: string,
  of: { readonly login: string } | { readonly session: Pick<Session, 'id'> },
): FormPurpose {
  return 'login' in of
    ? { action: 'second-factor', subject: `${signedRequest} ${of.login}` }
    : { action: 'step-up', subject: signedRequest, sessionId: of.session.id };
}

/** What the enrolment's form is good for: the user of that session. */
export function enrolmentPurpose(signedRequest: string, session: Pick<Session, 'id'>): FormPurpose {
  return { action: 'enrolment', subject: signedRequest, sessionId: session.id };
}

function around({ addressed }: Situation, failure?: SecondFactorFailure) {
  return {
    kind: 'page',
    status: failure === undefined ? 200 : STATUS_OF_PROBLEM[failure.problem],
    formTargets: formTargetsOf(addressed),
    headers: failure?.retryAfterSeconds === undefined ? {} : { 'retry-after': String(failure.retryAfterSeconds) },
  } as const;
}
