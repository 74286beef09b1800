import { expect } from 'chai';
import { cookiesFor } from '../../../src/http/cookies.ts';

describe('http: cookies', () => {
  it('under https sees only those with the __Host- prefix, by their bare names', () => {
    const cookies = cookiesFor({ secure: true });
    expect(cookies.read('session=planted; __Host-session=own; __Secure-session=other')).to.deep.equal({ session: 'own' });
    expect(cookies.read(undefined)).to.deep.equal({});
  });

  it('under http uses the bare names', () => {
    expect({ ...cookiesFor({ secure: false }).read('session=own; x=1') }).to.deep.equal({ session: 'own', x: '1' });
  });

  it('reads what it wrote', () => {
    for (const secure of [true, false]) {
      const cookies = cookiesFor({ secure });
      const field = cookies.write({ name: 'session', value: 'a b;c=é"\\' });
      expect(cookies.read(field.split(';')[0])['session']).to.equal('a b;c=é"\\');
    }
  });

  it('takes a value that it cannot have written for none', () => {
    const read = cookiesFor({ secure: false }).read('a=%; b=%ff; c=x%00y; d=ok; __proto__=x; constructor=y');
    expect([read['a'], read['b'], read['c'], read['d']]).to.deep.equal([undefined, undefined, undefined, 'ok']);
  });

  it("refuses to write a name or an age that is no cookie's", () => {
    const { write } = cookiesFor({ secure: true });
    expect(() => write({ name: 'a;b', value: '' })).to.throw();
    expect(() => write({ name: 'a', value: '', maxAgeSeconds: 1.5 })).to.throw();
  });
});
