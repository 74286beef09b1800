import { expect } from 'chai';
import { idJagProblem, readIdJagMetadata } from '../../../src/clients/id-jag-metadata.ts';
import { metadataReader } from '../../../src/clients/metadata-reader.ts';
import { TOKEN_EXCHANGE, tokenExchangeProblem } from '../../../src/clients/token-exchange-metadata.ts';

const ENTRY = { audience: 'https://chat.example', client_id: 'wiki-at-chat', scope: 'chat.read', resources: [] };

function refuse(problem: string): never {
  throw new Error(problem);
}

function read(id_jag: unknown) {
  return readIdJagMetadata(metadataReader({ id_jag }, refuse), refuse);
}

describe('clients: what they may be given ID-JAGs for', () => {
  it('is nothing where nothing is said', () => {
    for (const nothing of [undefined, null, []]) {
      expect(read(nothing)).to.deep.equal({});
    }
  });

  it('comes back as it is stored', () => {
    const { scope: _, ...rest } = ENTRY;
    const all = { ...ENTRY, resources: ['https://api.chat.example/'], relying_party: 'chat', email: true };
    const once = read([all, { ...rest, authorization_details_types: ['payment'] }]);
    expect(once.id_jag?.[0]).to.deep.equal(all);
    expect(once.id_jag?.[1]).to.deep.equal({ ...ENTRY, scope: '', authorization_details_types: ['payment'] });
    expect(read(JSON.parse(JSON.stringify(once.id_jag)))).to.deep.equal(once);
  });

  for (const [what, entries, problem] of [
    ['no array', ENTRY, /^id_jag: must be an array/],
    ['no audience', [{ ...ENTRY, audience: undefined }], /^id_jag\[0\]\.audience: must be the issuer/],
    ['an audience that is no issuer', [ENTRY, { ...ENTRY, audience: 'chat' }], /^id_jag\[1\]\.audience: /],
    ['an audience with a query', [{ ...ENTRY, audience: 'https://chat.example/?a' }], /^id_jag\[0\]\.audience: /],
    ['an audience of another kind', [{ ...ENTRY, audience: 'urn:example:chat' }], /^id_jag\[0\]\.audience: /],
    ['no client there', [{ ...ENTRY, client_id: '' }], /^id_jag\[0\]\.client_id: /],
    ['a resource that is no address', [{ ...ENTRY, resources: ['*'] }], /^id_jag\[0\]\.resources: "\*" is not an absolute URI/],
    ['a scope that is none', [{ ...ENTRY, scope: 'a"b' }], /^id_jag\[0\]\.scope: has a character/],
    ['neither scope nor details', [{ ...ENTRY, scope: '' }], /^id_jag\[0\]\.scope: must name a value/],
    ['an unknown member', [{ ...ENTRY, scopes: 'a' }], /^id_jag\[0\]\.scopes: is not known here/],
  ] as const) {
    it(`is refused with ${what}`, () => {
      expect(() => read(entries)).to.throw(problem);
    });
  }

  it('comes with the grant type for token exchange, and that with a policy of either kind', () => {
    const policy = read([ENTRY]);
    expect(tokenExchangeProblem({ grant_types: [TOKEN_EXCHANGE], ...policy }, false)).to.equal(undefined);
    expect(tokenExchangeProblem({ grant_types: [], ...policy }, false)).to.match(/^id_jag: and the grant type/);
    expect(tokenExchangeProblem({ grant_types: [TOKEN_EXCHANGE] }, false)).to.match(/^token_exchange: and the grant type/);
    expect(tokenExchangeProblem({ grant_types: [TOKEN_EXCHANGE], ...policy }, true)).to.match(/needs a client that authenticates/);
  });

  it('names no user by a public name to a client with pairwise subjects', () => {
    expect(idJagProblem({ ...read([ENTRY]), subject_type: 'pairwise' })).to.match(/^id_jag: .* relying_party/);
    expect(idJagProblem({ ...read([{ ...ENTRY, relying_party: 'chat' }]), subject_type: 'pairwise' })).to.equal(undefined);
    expect(idJagProblem({ ...read([ENTRY]), subject_type: 'public' })).to.equal(undefined);
    expect(idJagProblem({ subject_type: 'pairwise' })).to.equal(undefined);
  });
});
