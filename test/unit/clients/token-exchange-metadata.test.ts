import { expect } from 'chai';
import { metadataReader } from '../../../src/clients/metadata-reader.ts';
import { readTokenExchangeMetadata, TOKEN_EXCHANGE, tokenExchangeProblem } from '../../../src/clients/token-exchange-metadata.ts';

const ENTRY = { resources: ['https://ledger.example/'], scope: 'ledger:read' };

function refuse(problem: string): never {
  throw new Error(problem);
}

function read(token_exchange: unknown) {
  return readTokenExchangeMetadata(metadataReader({ token_exchange }, refuse), { ofLogin: 'openid profile', refuse });
}

describe('clients: what they may exchange tokens for (RFC 8693)', () => {
  it('is nothing where nothing is said', () => {
    for (const nothing of [undefined, null, []]) {
      expect(read(nothing)).to.deep.equal({});
    }
  });

  it('is delegation with or without an actor token, of tokens sent to the client, unless an entry says otherwise', () => {
    expect(read([ENTRY])).to.deep.equal({ token_exchange: [{ ...ENTRY, mode: 'delegation', actor_token: 'optional' }] });
    const all = { ...ENTRY, subject_audiences: ['https://api.example/'], mode: 'delegation', actor_token: 'required' };
    expect(read([all, ENTRY])).to.have.deep.nested.property('token_exchange[0]', all);
  });

  it('comes back as it is stored', () => {
    const once = read([ENTRY, { ...ENTRY, mode: 'impersonation' }]);
    expect(read(JSON.parse(JSON.stringify(once.token_exchange)))).to.deep.equal(once);
  });

  for (const [what, entries, problem] of [
    ['no array', ENTRY, /^token_exchange: must be an array/],
    ['entries that are no objects', ['x'], /^token_exchange: must be an array/],
    ['no resources', [ENTRY, { scope: 'a' }], /^token_exchange\[1\]\.resources: must name at least one/],
    ['a resource that is no address', [{ ...ENTRY, resources: ['*'] }], /^token_exchange\[0\]\.resources: "\*" is not an absolute URI/],
    ['no subject audience in the list', [{ ...ENTRY, subject_audiences: [] }], /^token_exchange\[0\]\.subject_audiences: /],
    ['a scope that is none', [{ ...ENTRY, scope: 'a"b' }], /^token_exchange\[0\]\.scope: /],
    ['a scope value of a login', [{ ...ENTRY, scope: 'ledger:read profile' }], /^token_exchange\[0\]\.scope: profile is about a login/],
    ['another mode', [{ ...ENTRY, mode: 'both' }], /^token_exchange\[0\]\.mode: /],
    [
      'an actor token for impersonation',
      [{ ...ENTRY, mode: 'impersonation', actor_token: 'required' }],
      /\.actor_token: cannot be required/,
    ],
    [
      'a misspelt member',
      [{ ...ENTRY, subject_audience: ['https://api.example/'] }],
      /^token_exchange\[0\]\.subject_audience: is not known/,
    ],
  ] as const) {
    it(`is refused with ${what}`, () => {
      expect(() => read(entries)).to.throw(problem);
    });
  }

  it('comes with its grant type, and for a client that authenticates', () => {
    const token_exchange = read([ENTRY]).token_exchange ?? [];
    const grant_types = [TOKEN_EXCHANGE];
    expect(tokenExchangeProblem({ grant_types, token_exchange }, false)).to.equal(undefined);
    expect(tokenExchangeProblem({ grant_types: ['authorization_code'] }, true)).to.equal(undefined);
    expect(tokenExchangeProblem({ grant_types }, false)).to.match(/^token_exchange: /);
    expect(tokenExchangeProblem({ grant_types: [], token_exchange }, false)).to.match(/^token_exchange: /);
    expect(tokenExchangeProblem({ grant_types, token_exchange }, true)).to.match(/^grant_types: /);
  });
});
