import { createHmac, createSecretKey, hkdfSync } from 'node:crypto';
import { expect } from 'chai';
import { serverSecret } from '../../../src/keys/server-secrets.ts';

describe('a server secret', () => {
  const bytes = Buffer.alloc(32, 7);
  const secret = serverSecret('0a1b2c3d', createSecretKey(bytes));

  it('makes an HMAC-SHA-256 of 32 bytes, with a key that HKDF derives for the domain (RFC 5869)', () => {
    // By hand: extract with a salt of zeros, expand one block.
    const extracted = createHmac('sha256', Buffer.alloc(32)).update(bytes).digest();
    const derived = createHmac('sha256', extracted).update('refresh_token\u0001').digest();
    expect(derived.equals(Buffer.from(hkdfSync('sha256', bytes, '', 'refresh_token', 32)))).to.equal(true);
    const expected = createHmac('sha256', derived).update('data').digest();
    expect(secret.mac('refresh_token', Buffer.from('data')).equals(expected)).to.equal(true);
  });

  it('makes the same again, and another for another domain, data or secret', () => {
    const data = Buffer.from('data');
    const mac = secret.mac('refresh_token', data);
    expect(secret.mac('refresh_token', data).equals(mac)).to.equal(true);
    expect(secret.mac('code', data).equals(mac)).to.equal(false);
    expect(secret.mac('refresh_token', Buffer.from('date')).equals(mac)).to.equal(false);
    const other = serverSecret('0a1b2c3d', createSecretKey(Buffer.alloc(32, 8)));
    expect(other.mac('refresh_token', data).equals(mac)).to.equal(false);
  });
});
