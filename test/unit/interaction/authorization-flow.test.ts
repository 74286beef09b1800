import { expect } from 'chai';
import { TWO_FACTORS } from '../../../src/accounts/authentication-context.ts';
import { authorizationOf, type RequestedContextClasses } from '../../../src/authorization/authorization.ts';
import { plainRequest } from '../../../src/authorization/received-request.ts';
import type { ProtocolResponse } from '../../../src/core/endpoint.ts';
import { authorizationFlow } from '../../../src/interaction/authorization-flow.ts';
import { noLimits } from '../../../src/limits/request-limits.ts';
import { subjectsWith } from '../../../src/tokens/subjects.ts';
import { addressedRequest } from '../authorization/requests.ts';
import { requestWith } from './browsers.ts';

describe('the end of an authorization', () => {
  it('gives no code below a class that is required, though every prompt was forgotten', async () => {
    const required = { values: [TWO_FACTORS], isRequired: true } as const;
    const refused = await arrival(['pwd'], required);
    expect([refused.get('error'), refused.get('code')]).to.deep.equal(['unmet_authentication_requirements', null]);
    expect((await arrival(['pwd', 'otp', 'mfa'], required)).get('code')).to.equal('the-code');
    expect((await arrival(['pwd'], { ...required, isRequired: false })).get('code')).to.equal('the-code');
  });
});

/** Where a browser goes whose login was by these methods, when no prompt says anything. */
async function arrival(methods: readonly string[], contextClasses: RequestedContextClasses | undefined): Promise<URLSearchParams> {
  const addressed = addressedRequest();
  const authorization = { ...(await authorizationOf(addressed, [])), contextClasses };
  const session = { id: 's', sid: 's', userId: 'u', authTime: 1, loginTime: 1, methods, createdAt: 1, idleExpiresAt: 9, expiresAt: 9 };
  const flow = authorizationFlow({
    issuer: 'https://login.example',
    requests: { receive: unused, address: async () => addressed, authorization: async () => authorization },
    pushedRequests: { use: unused },
    prompts: [],
    sessions: { current: async () => session, begin: unused, stepUp: unused, end: unused },
    issueCode: async () => 'the-code',
    forms: { browserTag: unused },
    deferredAnswers: { allow: unused, refuse: unused },
    subjects: subjectsWith('salt'),
    pages: { login: unused, consent: unused },
    secondFactorPages: { stepUp: unused },
    limits: noLimits,
    clock: { now: () => 2 },
  });
  const pending = { ...plainRequest(addressed.parameters), startedAt: 1, sessionAtStart: '' };
  const response: ProtocolResponse = await flow.proceed(pending, requestWith({}));
  return new URL(response.kind === 'redirect' ? response.location : '').searchParams;
}

function unused(): never {
  throw new Error('not part of this');
}
