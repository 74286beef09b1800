import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { consentPage } from '../src/pages/consent-page.ts';
import { errorPage } from '../src/pages/error-page.ts';
import { type Language, languages } from '../src/pages/languages.ts';
import { loginPage } from '../src/pages/login-page.ts';
import { describeRedirect } from '../src/pages/redirect-description.ts';
import { signedOutPage, signOutPage } from '../src/pages/sign-out-page.ts';

// Writes every page in every language, with easy and with hard data, as files to look at in a browser:
//   npx tsx scripts/preview-pages.ts [folder]

const folder = process.argv[2] ?? join(import.meta.dirname, '../data/preview-pages');
const form = { action: '#', hidden: { flow: 'preview', csrf: 'preview' } };
const longName = 'The Extraordinarily Thorough Quarterly Reconciliation and Reporting Companion for Enterprises';

mkdirSync(folder, { recursive: true });
for (const language of languages) {
  for (const [name, html] of Object.entries(previews(language))) {
    writeFileSync(join(folder, `${name}.${language}.html`), html);
  }
}
console.log(folder);

function previews(language: Language): Readonly<Record<string, string>> {
  const login = { language, clientName: language === 'ko' ? '한빛 가계부' : 'Harbor Notes', ...form };
  const consent = {
    language,
    client: {
      name: login.clientName,
      uri: 'https://app.example.com',
      policyUri: 'https://app.example.com/privacy',
      tosUri: 'https://app.example.com/terms',
    },
    username: language === 'ko' ? '김민지' : 'minji.kim',
    redirectTo: describeRedirect(language, 'https://app.example.com/callback'),
    details: [],
    ...form,
  };
  const error = { language, requestId: 'k3x9-000142' };
  return {
    login: loginPage(login),
    'login-refused': loginPage({ ...login, username: 'minji.kim', problem: 'refused' }),
    'login-throttled': loginPage({ ...login, username: 'minji.kim', problem: 'throttled', retryAfterSeconds: 30 }),
    'login-expired': loginPage({ ...login, problem: 'expired' }),
    'login-signed-out': loginPage({ ...login, signedOut: true }),
    'login-long': loginPage({ ...login, clientName: longName, username: `${'a'.repeat(60)}@example.com` }),
    consent: consentPage({ ...consent, scopes: ['openid', 'profile', 'email', 'offline_access'], resources: [], remembered: true }),
    'consent-long': consentPage({
      ...consent,
      client: { ...consent.client, name: longName },
      username: `${'a'.repeat(60)}@example.com`,
      scopes: [
        'openid',
        'profile',
        'email',
        'address',
        'phone',
        'offline_access',
        'read:orders',
        'https://scopes.example.com/auth/calendar.events.readonly',
      ],
      resources: [
        { identifier: 'https://api.example.com/', name: 'Orders' },
        { identifier: 'https://reports.example.com/v2/quarterly-reconciliation' },
      ],
      redirectTo: describeRedirect(language, 'http://127.0.0.1:53682/callback'),
      remembered: false,
    }),
    'consent-details': consentPage({
      ...consent,
      scopes: ['openid'],
      resources: [],
      remembered: false,
      details: [
        {
          words: {
            display_name: { en: 'Make a payment', ko: '결제하기' },
            description: { en: 'The bank pays once, and no more than this.', ko: '은행은 아래 금액을 한 번만 지급합니다.' },
            field_names: {
              amount: { en: 'Amount', ko: '금액' },
              value: { en: 'Value', ko: '액수' },
              currency: { en: 'Currency', ko: '통화' },
              creditor: { en: 'To', ko: '받는 분' },
            },
          },
          detail: {
            type: 'payment',
            amount: { currency: 'EUR', value: '123.50' },
            creditor: 'Merchant A',
            locations: ['https://api.bank.example/payments'],
            actions: ['initiate', 'status'],
          },
        },
      ],
    }),
    'consent-app': consentPage({
      ...consent,
      client: { name: 'tiny' },
      scopes: ['files:write'],
      resources: [{ identifier: 'https://files.example.com' }],
      redirectTo: describeRedirect(language, 'com.example.app:/callback'),
      remembered: false,
    }),
    'error-request': errorPage({
      ...error,
      status: 400,
      error: 'invalid_request',
      description: 'The redirect_uri is not registered for this client. It must match one of the registered ones character by character.',
    }),
    'error-expired': errorPage({ ...error, status: 400, situation: 'expired' }),
    'error-not-found': errorPage({ ...error, status: 404 }),
    'error-failure': errorPage({ ...error, status: 500, error: 'server_error' }),
    'error-unavailable': errorPage({ ...error, status: 503, error: 'temporarily_unavailable' }),
    'sign-out': signOutPage({ language, username: consent.username, ...form }),
    'sign-out-for-a-client': signOutPage({ language, username: consent.username, clientName: 'Photo Book', ...form }),
    'signed-out': signedOutPage({ language }),
  };
}
