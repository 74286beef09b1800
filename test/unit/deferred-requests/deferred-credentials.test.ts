import { expect } from 'chai';
import { newIdentifier } from '../../../src/core/identifiers.ts';
import { deferredCredentials } from '../../../src/deferred-requests/deferred-credentials.ts';
import { testSecrets } from '../interaction/browsers.ts';

describe('device codes and auth_req_ids', () => {
  const secrets = testSecrets();
  const { mint, prove } = deferredCredentials(secrets);
  const id = newIdentifier();

  it('prove themselves, also after a server secret was rotated, and say which request they are of', () => {
    const code = mint('device', id);
    secrets.rotate();
    expect(prove('device', code)).to.equal(id);
    expect(code).to.match(/^kt_dc_[\w-]+$/);
    expect(mint('ciba', id)).to.match(/^kt_ar_[\w-]+$/);
  });

  it('are none when made up, changed, of the other kind, or of another server: told without a look at any record', () => {
    const code = mint('device', id);
    const bytes = Buffer.from(code.slice(6), 'base64url');
    const flipped = [...bytes.keys()].map((at) => {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      return `kt_dc_${changed.toString('base64url')}`;
    });
    const foreign = deferredCredentials(testSecrets()).mint('device', id);
    const other = mint('ciba', id);
    for (const text of [
      '',
      'kt_dc_',
      id,
      `${code}A`,
      code.slice(0, -1),
      ` ${code}`,
      ...flipped,
      foreign,
      other,
      `kt_dc_${other.slice(6)}`,
    ]) {
      expect(prove('device', text), text).to.equal(undefined);
    }
  });
});
