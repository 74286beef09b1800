import { expect } from 'chai';
import { type AuthorizationRule, authorizationOf } from '../../../src/authorization/authorization.ts';
import { loginParametersRule } from '../../../src/authorization/login-parameters.ts';
import { pkceRule } from '../../../src/authorization/pkce.ts';
import {
  registrationRule,
  repeatsRule,
  resourceRule,
  responseModeRule,
  responseTypeRule,
  scopeRule,
} from '../../../src/authorization/rules.ts';
import type { Client } from '../../../src/clients/client.ts';
import { OAuthError } from '../../../src/core/errors.ts';
import { addressedRequest, clientWith } from './requests.ts';

const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';

/** What the rule gives, or the code of its refusal. */
function outcome(rule: AuthorizationRule, parameters: Parameters<typeof addressedRequest>[0], client?: Client): unknown {
  try {
    return rule.apply(addressedRequest(parameters, client));
  } catch (error) {
    return error instanceof OAuthError ? error.code : error;
  }
}

describe('authorization rules', () => {
  it('repeats: no parameter twice but resource (RFC 6749 section 3.1, RFC 8707 section 2)', () => {
    expect(
      outcome(repeatsRule, [
        ['scope', 'a'],
        ['scope', 'a'],
      ]),
    ).to.equal('invalid_request');
    expect(
      outcome(repeatsRule, [
        ['unknown', ''],
        ['unknown', ''],
      ]),
    ).to.equal('invalid_request');
    expect(
      outcome(repeatsRule, [
        ['resource', 'https://a.example'],
        ['resource', 'https://b.example'],
      ]),
    ).to.deep.equal({});
  });

  it('registration in passing is refused, not ignored (OpenID Connect Core section 3.1.2.6)', () => {
    expect(outcome(registrationRule, { registration: '{}' })).to.equal('registration_not_supported');
    expect(outcome(registrationRule, { registration: '' })).to.deep.equal({});
  });

  it('response_type is code, for clients that are registered for it (RFC 6749 section 3.1.1)', () => {
    expect(outcome(responseTypeRule, { response_type: 'code' })).to.deep.equal({});
    expect(outcome(responseTypeRule, {})).to.equal('invalid_request');
    for (const response_type of ['token', 'code token', 'token code', 'code code', 'CODE', ' code']) {
      expect(outcome(responseTypeRule, { response_type })).to.equal('unsupported_response_type');
    }
    const machine = clientWith({ grant_types: ['client_credentials'] });
    expect(outcome(responseTypeRule, { response_type: 'code' }, machine)).to.equal('unauthorized_client');
  });

  it('response_mode is one that can be used, which is the one that is used', () => {
    expect(outcome(responseModeRule, {})).to.deep.equal({});
    expect(outcome(responseModeRule, { response_mode: 'query' })).to.deep.equal({});
    expect(outcome(responseModeRule, { response_mode: 'fragment' })).to.deep.equal({});
    expect(outcome(responseModeRule, { response_mode: 'pigeon' })).to.equal('invalid_request');
  });

  it('scope is what was asked for, within what is registered, and all of that where nothing was asked for', () => {
    expect(outcome(scopeRule, { scope: 'api:read' })).to.deep.equal({ scope: ['api:read'] });
    expect(outcome(scopeRule, {})).to.deep.equal({ scope: ['openid', 'api:read'] });
    expect(outcome(scopeRule, { scope: 'api:read api:write' })).to.equal('invalid_scope');
    expect(outcome(scopeRule, { scope: 'api:read\t' })).to.equal('invalid_scope');
  });

  it('a scope that is refused is named, unless it is as long as a token', () => {
    expect(described('api:write')).to.include('api:write');
    const token = `kt_rt_${'x'.repeat(76)}`;
    expect(described(token)).not.to.include(token);
    expect(described(Array.from({ length: 500 }, (_, index) => `scope${index}`).join(' ')).length).to.be.lessThan(400);
  });

  it('resource is one or more of those that are registered (RFC 8707 section 2)', () => {
    const [one, two] = ['https://one.example', 'https://two.example'];
    const client = clientWith({ allowed_resources: [one, two] });
    expect(
      outcome(
        resourceRule,
        [
          ['resource', one],
          ['resource', two],
          ['resource', one],
        ],
        client,
      ),
    ).to.deep.equal({ resources: [one, two] });
    expect(outcome(resourceRule, {}, client)).to.deep.equal({ resources: [] });
    expect(
      outcome(
        resourceRule,
        [
          ['resource', one],
          ['resource', 'https://three.example'],
        ],
        client,
      ),
    ).to.equal('invalid_target');
    expect(outcome(resourceRule, { resource: `${one}/` }, client)).to.equal('invalid_target');
  });

  describe('pkce (RFC 7636)', () => {
    const lenient = clientWith({ require_pkce: false });
    const cases: readonly (readonly [what: string, parameters: Record<string, string>, strict: unknown, lenient: unknown])[] = [
      ['S256', { code_challenge: CHALLENGE, code_challenge_method: 'S256' }, { codeChallenge: CHALLENGE }, { codeChallenge: CHALLENGE }],
      ['nothing', {}, 'invalid_request', {}],
      ['an empty challenge', { code_challenge: '' }, 'invalid_request', {}],
      ['a method alone', { code_challenge_method: 'S256' }, 'invalid_request', 'invalid_request'],
      ['a challenge without method', { code_challenge: CHALLENGE }, 'invalid_request', 'invalid_request'],
      ['plain', { code_challenge: CHALLENGE, code_challenge_method: 'plain' }, 'invalid_request', 'invalid_request'],
      ['a short challenge', { code_challenge: 'x', code_challenge_method: 'S256' }, 'invalid_request', 'invalid_request'],
    ];
    for (const [what, parameters, strict, withoutRequirement] of cases) {
      it(`${what}: ${JSON.stringify(strict)}, and ${JSON.stringify(withoutRequirement)} where it is not required`, () => {
        expect(outcome(pkceRule, parameters)).to.deep.equal(strict);
        expect(outcome(pkceRule, parameters, lenient)).to.deep.equal(withoutRequirement);
      });
    }

    it('is required of a public client, whatever a record says', () => {
      const client = clientWith({ token_endpoint_auth_method: 'none' });
      const tampered: Client = { ...client, metadata: { ...client.metadata, require_pkce: false } };
      expect(outcome(pkceRule, {}, tampered)).to.equal('invalid_request');
    });
  });

  describe('login parameters (OpenID Connect Core section 3.1.2.1)', () => {
    it('reads them', () => {
      const parameters = { prompt: 'login  consent', max_age: '060', login_hint: 'alice', ui_locales: 'ko en' };
      const expected = { prompts: ['login', 'consent'], maxAgeSeconds: 60, loginHint: 'alice', uiLocales: 'ko en' };
      expect(outcome(loginParametersRule, parameters)).to.deep.equal(expected);
    });

    it('refuses none beside another prompt', () => {
      expect(outcome(loginParametersRule, { prompt: 'none' })).to.deep.include({ prompts: ['none'] });
      expect(outcome(loginParametersRule, { prompt: 'consent none' })).to.equal('invalid_request');
    });

    it('refuses a max_age that is no whole number of seconds', () => {
      for (const max_age of ['-1', '1.5', '1e3', '0x10', ' 1', 'Infinity', '9999999999']) {
        expect(outcome(loginParametersRule, { max_age }), max_age).to.equal('invalid_request');
      }
    });
  });

  it('make one authorization together, the first refusal winning', async () => {
    const request = addressedRequest({ scope: 'api:read', code_challenge: CHALLENGE, code_challenge_method: 'S256', prompt: 'none' });
    const authorization = await authorizationOf(request, [scopeRule, resourceRule, pkceRule, loginParametersRule]);
    expect(authorization).to.deep.include({ scope: ['api:read'], resources: [], codeChallenge: CHALLENGE, prompts: ['none'] });
    const refusal: unknown = await authorizationOf(addressedRequest({ scope: 'x', max_age: 'x' }), [scopeRule, loginParametersRule]).catch(
      (error: unknown) => error,
    );
    expect(refusal).to.have.property('code', 'invalid_scope');
  });
});

const described = (scope: string): string => {
  try {
    void scopeRule.apply(addressedRequest({ scope }));
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
};
