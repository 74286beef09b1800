import { expect } from 'chai';
import { type Authorization, authorizationOf } from '../../../src/authorization/authorization.ts';
import { plainRequest } from '../../../src/authorization/received-request.ts';
import { consentItems, consentPrompt } from '../../../src/interaction/consent-prompt.ts';
import type { Consents } from '../../../src/interaction/consents.ts';
import { loginPrompt } from '../../../src/interaction/login-prompt.ts';
import type { Situation } from '../../../src/interaction/prompt.ts';
import type { Session } from '../../../src/interaction/session.ts';
import { subjectsWith } from '../../../src/tokens/subjects.ts';
import { addressedRequest, clientWith } from '../authorization/requests.ts';

const START = 1000;
const SUBJECTS = subjectsWith('salt');

function session(id: string, authTime: number): Session {
  return {
    id,
    sid: id,
    userId: 'user',
    authTime,
    loginTime: authTime,
    methods: ['pwd'],
    createdAt: authTime,
    idleExpiresAt: 9e9,
    expiresAt: 9e9,
  };
}

async function situation(parts: {
  readonly session?: Session | undefined;
  readonly sessionAtStart?: string;
  readonly now?: number;
  readonly asks?: Partial<Authorization>;
  readonly client?: Readonly<Record<string, unknown>>;
}): Promise<Situation> {
  const addressed = addressedRequest({}, clientWith(parts.client));
  return {
    addressed,
    authorization: { ...(await authorizationOf(addressed, [])), ...parts.asks },
    pending: { ...plainRequest(addressed.parameters), startedAt: START, sessionAtStart: parts.sessionAtStart ?? '' },
    session: parts.session,
    now: parts.now ?? START,
  };
}

describe('login prompt', () => {
  const before = session('before', START - 60);
  const since = session('since', START);
  const cases: readonly (readonly [what: string, parts: Parameters<typeof situation>[0], due: boolean])[] = [
    ['nobody is logged in', {}, true],
    ['somebody is, and nothing more is asked', { session: before, sessionAtStart: 'before' }, false],
    ['prompt=login, and the login is from before', { session: before, sessionAtStart: 'before', asks: { prompts: ['login'] } }, true],
    ['prompt=login, and there was a login since', { session: since, sessionAtStart: 'before', asks: { prompts: ['login'] } }, false],
    [
      'prompt=login, and that login is from the very second of the start',
      { session: since, sessionAtStart: '', asks: { prompts: ['login'] } },
      false,
    ],
    [
      'prompt=login, and another session is older than the request',
      { session: before, sessionAtStart: 'x', asks: { prompts: ['login'] } },
      true,
    ],
    ['prompt=select_account', { session: before, sessionAtStart: 'before', asks: { prompts: ['select_account'] } }, true],
    ['prompt=consent', { session: before, sessionAtStart: 'before', asks: { prompts: ['consent'] } }, false],
    ['max_age is just kept', { session: before, sessionAtStart: 'before', asks: { maxAgeSeconds: 60 } }, false],
    ['max_age is over', { session: before, sessionAtStart: 'before', asks: { maxAgeSeconds: 59 } }, true],
    ['max_age=0, and the login is of this very second', { session: since, sessionAtStart: 'since', asks: { maxAgeSeconds: 0 } }, true],
    ['the request is about this user', { session: before, sessionAtStart: 'before', asks: { subjects: ['other', 'user'] } }, false],
    ['the request is about another user', { session: before, sessionAtStart: 'before', asks: { subjects: ['other'] } }, true],
    ['the request is about nobody', { session: before, sessionAtStart: 'before', asks: { subjects: [] } }, true],
    ['the request is about another user, and there was a login since', { session: since, asks: { subjects: ['other'] } }, false],
    ['max_age=0, and there was a login since', { session: since, sessionAtStart: '', now: START + 90, asks: { maxAgeSeconds: 0 } }, false],
  ];
  for (const [what, parts, due] of cases) {
    it(`is ${due ? '' : 'not '}due when ${what}`, async () => {
      expect(await loginPrompt(SUBJECTS).isDue(await situation(parts))).to.equal(due);
    });
  }

  it('is login_required where the user must not be asked', () => {
    expect(loginPrompt(SUBJECTS).errorWhenSilent().code).to.equal('login_required');
  });
});

describe('consent prompt', () => {
  const user = session('s', START);
  const API = 'https://api.example';
  const asked = { scope: ['openid'], resources: [API] };

  async function isDue(remembered: readonly string[], parts: Parameters<typeof situation>[0]): Promise<boolean> {
    const consents: Consents = { find: async () => remembered, remember: async () => undefined };
    return consentPrompt(consents).isDue(await situation({ session: user, ...parts }));
  }

  it('is due until everything that is asked for was allowed', async () => {
    const asks = { ...(await authorizationOf(addressedRequest(), [])), ...asked };
    const items = consentItems(addressedRequest(), asks);
    expect(await isDue([], { asks })).to.equal(true);
    expect(await isDue(items, { asks })).to.equal(false);
    expect(await isDue([...items, 'more'], { asks })).to.equal(false);
    for (const missing of items) {
      expect(
        await isDue(
          items.filter((item) => item !== missing),
          { asks },
        ),
        missing,
      ).to.equal(true);
    }
  });

  it('does not take a scope value for a resource that was allowed, or the reverse', async () => {
    const items = consentItems(addressedRequest(), {
      ...(await authorizationOf(addressedRequest(), [])),
      scope: [API],
      resources: [API],
    });
    expect(new Set(items).size).to.equal(3);
    // No scope value has a space in it (RFC 6749 section 3.3), so none reads as another kind of item.
    expect(items.filter((item) => !item.includes(' '))).to.deep.equal([API]);
  });

  it('is due with prompt=consent, whatever was allowed', async () => {
    expect(await isDue(['client access'], { asks: { prompts: ['consent'] } })).to.equal(true);
    expect(await isDue([], { asks: { prompts: ['consent'] }, client: { skip_consent: true } })).to.equal(true);
  });

  it('is not due for a first-party client', async () => {
    expect(await isDue([], { client: { skip_consent: true } })).to.equal(false);
  });

  it('is due each time for a public client that could be another program (RFC 8252 section 8.6)', async () => {
    const isPublic = { token_endpoint_auth_method: 'none' };
    for (const uri of ['http://127.0.0.1/cb', 'http://[::1]/cb', 'http://localhost/cb', 'com.example.app:/cb']) {
      expect(await isDue(['client access'], { client: { ...isPublic, redirect_uris: [uri] } }), uri).to.equal(true);
      expect(await isDue(['client access'], { client: { redirect_uris: [uri] } }), uri).to.equal(false);
    }
    expect(await isDue(['client access'], { client: isPublic })).to.equal(false);
  });

  it('is consent_required where the user must not be asked', () => {
    const consents: Consents = { find: async () => [], remember: async () => undefined };
    expect(consentPrompt(consents).errorWhenSilent().code).to.equal('consent_required');
  });
});
