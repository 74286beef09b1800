import { totpUri } from '../../../src/accounts/totp.ts';
import { approvalsPage } from '../../../src/pages/approvals-page.ts';
import { consentPage } from '../../../src/pages/consent-page.ts';
import { enrolmentPage, recoveryCodesPage } from '../../../src/pages/enrolment-page.ts';
import { errorPage } from '../../../src/pages/error-page.ts';
import type { Language } from '../../../src/pages/languages.ts';
import { loginPage } from '../../../src/pages/login-page.ts';
import { secondFactorPage } from '../../../src/pages/second-factor-page.ts';
import { signedOutPage, signOutPage } from '../../../src/pages/sign-out-page.ts';

/** Every page, in every state, with `foreign` wherever a page takes text that came from somebody else. */
export function everyPage(language: Language, foreign = 'a name'): Readonly<Record<string, string>> {
  const form = { action: `/login?${foreign}`, hidden: { [`field ${foreign}`]: foreign, csrf: foreign } };
  const login = { language, clientName: foreign, username: foreign, ...form };
  const code = { language, clientName: foreign, ...form };
  const uri = totpUri('GEZDGNBVGY3TQOJQ', { issuer: 'login.example', username: foreign });
  const enrolment = { ...code, secret: 'GEZDGNBVGY3TQOJQ', uri };
  const consent = {
    language,
    client: { name: foreign, uri: foreign, policyUri: `https://client.example/${foreign}`, tosUri: `https://client.example/?${foreign}` },
    username: foreign,
    scopes: ['openid', 'profile', 'email', 'address', 'phone', 'offline_access', foreign],
    details: [
      {
        words: { display_name: { en: foreign, ko: foreign }, description: { en: foreign }, field_names: { named: { en: foreign } } },
        detail: {
          type: foreign,
          [foreign]: foreign,
          named: foreign,
          actions: [foreign, foreign],
          more: { inner: [{ deeper: foreign }] },
          amount: 1,
        },
      },
    ],
    resources: [{ identifier: foreign, name: foreign }, { identifier: `https://api.example/${foreign}` }],
    redirectTo: foreign,
    ...form,
  };
  const waiting = {
    clientName: foreign,
    origin: undefined,
    bindingMessage: foreign,
    scopes: ['openid', foreign],
    address: foreign,
    secondsAgo: 3,
    href: `/authorize/resume?${foreign}`,
  };
  const error = { language, error: foreign, description: foreign, requestId: foreign };
  return {
    login: loginPage({ language, clientName: foreign, ...form }),
    'login with a username': loginPage(login),
    'login refused': loginPage({ ...login, problem: 'refused' }),
    'login throttled': loginPage({ ...login, problem: 'throttled' }),
    'login throttled for a while': loginPage({ ...login, problem: 'throttled', retryAfterSeconds: 30 }),
    'login expired': loginPage({ ...login, problem: 'expired' }),
    'login of a client that registered itself': loginPage({ ...login, origin: { redirectTo: foreign } }),
    'login after signing out': loginPage({ ...login, signedOut: true }),
    'second factor': secondFactorPage(code),
    'second factor refused': secondFactorPage({ ...code, problem: 'refused' }),
    'second factor throttled': secondFactorPage({ ...code, problem: 'throttled' }),
    'second factor throttled for a while': secondFactorPage({ ...code, problem: 'throttled', retryAfterSeconds: 30 }),
    enrolment: enrolmentPage(enrolment),
    'enrolment refused': enrolmentPage({ ...enrolment, problem: 'refused' }),
    'recovery codes': recoveryCodesPage({ language, codes: ['abcd-efgh', 'jkmn-pqrs'], ...form }),
    consent: consentPage({ ...consent, remembered: false }),
    'consent for a client that registered itself': consentPage({
      ...consent,
      client: { ...consent.client, origin: { redirectTo: foreign, nameVouchedFor: foreign } },
      remembered: false,
    }),
    'consent remembered': consentPage({ ...consent, remembered: true }),
    'consent, unverified': consentPage({
      ...consent,
      unverified: { host: foreign, claimedName: foreign, redirect: 'own host' },
      remembered: true,
    }),
    'consent, unverified, elsewhere': consentPage({
      ...consent,
      unverified: { host: foreign, claimedName: foreign, redirect: 'other host' },
      remembered: true,
    }),
    'consent, unverified, here': consentPage({
      ...consent,
      unverified: { host: foreign, claimedName: foreign, redirect: 'this device' },
      remembered: false,
    }),
    'consent to nothing': consentPage({ ...consent, scopes: [], details: [], resources: [], remembered: false }),
    'consent to what was asked in the back channel': consentPage({
      ...consent,
      redirectTo: undefined,
      deferred: { address: foreign, isSameNetwork: false, backchannel: { bindingMessage: foreign } },
      remembered: false,
    }),
    approvals: approvalsPage({
      language,
      username: foreign,
      self: '/ciba',
      requests: [waiting, { ...waiting, bindingMessage: undefined, origin: { nameVouchedFor: foreign, redirectTo: undefined } }],
    }),
    'no approvals': approvalsPage({ language, username: foreign, self: '/ciba', requests: [] }),
    'login with a purpose': loginPage({ language, clientName: undefined, purpose: 'to see what waits', ...form }),
    'sign-out': signOutPage({ language, username: foreign, ...form }),
    'sign-out for a client': signOutPage({ language, username: foreign, clientName: foreign, ...form }),
    'signed out': signedOutPage({ language }),
    'error with a title': errorPage({ ...error, status: 400, title: foreign }),
    'error alone': errorPage({ language, status: 500 }),
    ...Object.fromEntries([400, 404, 410, 429, 500, 503].map((status) => [`error ${status}`, errorPage({ ...error, status })])),
  };
}
