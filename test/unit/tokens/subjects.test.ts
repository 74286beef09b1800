import { expect } from 'chai';
import { newIdentifier } from '../../../src/core/identifiers.ts';
import { subjectsWith } from '../../../src/tokens/subjects.ts';
import { clientWith } from '../authorization/requests.ts';

describe('tokens: subjects (OpenID Connect Core section 8)', () => {
  const userId = newIdentifier();
  const pairwise = clientWith({ subject_type: 'pairwise' });

  it('are the identifiers of users where they are public, which is the default', () => {
    for (const client of [clientWith(), clientWith({ subject_type: 'public' })]) {
      expect(subjectsWith('salt').of(client, userId)).to.equal(userId);
      expect(subjectsWith('salt').ofSession(client, 'session')).to.equal('session');
    }
  });

  it('depend on salt, sector and user where they are pairwise, and on nothing else', () => {
    const subject = subjectsWith('salt').of(pairwise, userId);
    expect(subjectsWith('salt').of({ ...pairwise, id: 'another' }, userId)).to.equal(subject);
    const others = [
      subjectsWith('pepper').of(pairwise, userId),
      subjectsWith('salt').of(pairwise, newIdentifier()),
      subjectsWith('salt').of(clientWith({ subject_type: 'pairwise', redirect_uris: ['https://other.example/'] }), userId),
      subjectsWith('salt').ofSession(pairwise, userId),
    ];
    expect(new Set([subject, ...others]).size).to.equal(5);
  });

  it('have the form of an identifier, which no client may choose as its own (RFC 9068 section 5)', () => {
    expect(subjectsWith('salt').of(pairwise, userId)).to.match(/^[0-9a-v]{26}$/);
  });
});
