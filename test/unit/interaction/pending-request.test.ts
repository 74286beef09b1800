import { expect } from 'chai';
import { plainRequest } from '../../../src/authorization/received-request.ts';
import { parametersOf } from '../../../src/core/parameters.ts';
import { pendingRequests } from '../../../src/interaction/pending-request.ts';
import { testSecrets } from './browsers.ts';

describe('pending authorization requests', () => {
  const entries: [string, string][] = [
    ['state', 'a & b "한글" \u{1f511}'],
    ['resource', 'https://one.example'],
    ['resource', 'https://two.example'],
    ['scope', ''],
    ['state', 'again'],
  ];
  const pending = { parameters: parametersOf(entries), isSigned: true, pushedId: 'pushed', startedAt: 1000, sessionAtStart: 'session' };
  const { sign, open } = pendingRequests(testSecrets());

  it('come back as they were: every parameter in order, repeats and empty ones too', () => {
    const opened = open(sign(pending), 1000);
    expect(opened?.parameters.entries).to.deep.equal(entries);
    expect(opened?.parameters.repeated).to.deep.equal(['resource', 'state']);
    expect(opened).to.deep.include({ isSigned: true, pushedId: 'pushed', startedAt: 1000, sessionAtStart: 'session' });
    expect(open(sign({ ...pending, ...plainRequest(pending.parameters) }), 1000)).to.include({ isSigned: false, pushedId: undefined });
  });

  it('tell a browser without session from one that has not been looked at', () => {
    expect(open(sign({ ...pending, sessionAtStart: '' }), 1000)?.sessionAtStart).to.equal('');
    expect(open(sign({ ...pending, sessionAtStart: undefined }), 1000)).to.have.property('sessionAtStart', undefined);
  });

  it('live for an hour', () => {
    const signed = sign(pending);
    expect(open(signed, 1000 + 3599)).not.to.equal(undefined);
    expect(open(signed, 1000 + 3600)).to.equal(undefined);
  });

  it('are none when changed, made up, or signed by another server', () => {
    const signed = sign(pending);
    const bytes = Buffer.from(signed, 'base64url');
    bytes.writeUInt8(bytes.readUInt8(1) ^ 1, 1);
    const foreign = pendingRequests(testSecrets()).sign(pending);
    for (const text of ['', 'x', signed.slice(0, -1), `${signed}A`, ` ${signed}`, bytes.toString('base64url'), foreign]) {
      expect(open(text, 1000), text).to.equal(undefined);
    }
  });

  it('need no escaping in a URL', () => {
    expect(sign(pending)).to.match(/^[\w-]+$/);
  });
});
