import { expect } from 'chai';
import { plainRequest, receivedDeferred } from '../../../src/authorization/received-request.ts';
import { InvalidRequest, InvalidRequestUri } from '../../../src/core/errors.ts';
import { parametersOf } from '../../../src/core/parameters.ts';
import type { DeferredRequest } from '../../../src/deferred-requests/deferred-request.ts';
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
  const pending = { parameters: parametersOf(entries), isSigned: true, pushedId: undefined, startedAt: 1000, sessionAtStart: 'session' };
  /** Where a pushed request is kept. */
  const kept = { id: 'pushed', clientId: 'app', parameters: parametersOf(entries), isSigned: true, expiresAt: 1060, keptUntil: 4660 };
  const pushedRequests = { findUnused: async (id: string) => (id === 'pushed' ? kept : undefined) };
  /** A request that waits for a user, and is open for 600 s. */
  const waiting: DeferredRequest = {
    id: 'waiting',
    kind: 'device',
    clientId: 'app',
    userId: undefined,
    parameters: parametersOf(entries),
    remoteAddress: '192.0.2.1',
    createdAt: 1000,
    expiresAt: 1600,
  };
  const deferredRequests = {
    findOpen: async (id: string, now: number) => (id === 'waiting' && now < waiting.expiresAt ? waiting : undefined),
  };
  const secrets = testSecrets();
  const { sign, open } = pendingRequests({ secrets, pushedRequests, deferredRequests, isOn: () => true });

  it('come back as they were: every parameter in order, repeats and empty ones too', async () => {
    const opened = await open(sign(pending), 1000);
    expect(opened?.parameters.entries).to.deep.equal(entries);
    expect(opened?.parameters.repeated).to.deep.equal(['resource', 'state']);
    expect(opened).to.deep.include({ isSigned: true, pushedId: undefined, startedAt: 1000, sessionAtStart: 'session' });
    expect(await open(sign({ ...pending, ...plainRequest(pending.parameters) }), 1000)).to.include({
      isSigned: false,
      pushedId: undefined,
    });
  });

  it('hold of what was pushed nothing but where it is kept', async () => {
    const signed = sign({ ...pending, pushedId: 'pushed' });
    const readable = Buffer.from(signed, 'base64url').toString();
    expect(readable).to.include('pushed').and.not.to.include('one.example').and.not.to.include('state');
    const opened = await open(signed, 4599);
    expect(opened).to.deep.include({ isSigned: true, pushedId: 'pushed', startedAt: 1000, sessionAtStart: 'session' });
    expect(opened?.parameters.entries).to.deep.equal(entries);
  });

  it('are refused, and begin no more, when what was pushed has been answered', async () => {
    const failure = await open(sign({ ...pending, pushedId: 'answered' }), 1000).catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(InvalidRequestUri);
  });

  it('hold of what is deferred nothing but where it is kept and the code that was typed, and begin no more when it is decided', async () => {
    const signed = sign({ ...pending, ...receivedDeferred(waiting), entry: { userCode: 'WDJB-MJHT', browser: 'tag' } });
    expect(Buffer.from(signed, 'base64url').toString()).to.include('WDJB-MJHT').and.not.to.include('one.example');
    const opened = await open(signed, 1599);
    expect(opened).to.deep.include({
      deferred: waiting,
      entry: { userCode: 'WDJB-MJHT', browser: 'tag' },
      isSigned: false,
      pushedId: undefined,
      startedAt: 1000,
    });
    expect(opened?.parameters.entries).to.deep.equal(entries);
    const failure = await open(signed, 1600).catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(InvalidRequest);
  });

  it('begin no more when what is deferred is of a feature that was turned off', async () => {
    const off = pendingRequests({ secrets, pushedRequests, deferredRequests, isOn: (kind) => kind !== 'device' });
    const failure = await off.open(sign({ ...pending, ...receivedDeferred(waiting) }), 1000).catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(InvalidRequest);
  });

  it('tell a browser without session from one that has not been looked at', async () => {
    expect((await open(sign({ ...pending, sessionAtStart: '' }), 1000))?.sessionAtStart).to.equal('');
    expect(await open(sign({ ...pending, sessionAtStart: undefined }), 1000)).to.have.property('sessionAtStart', undefined);
  });

  it('live for an hour', async () => {
    const signed = sign(pending);
    expect(await open(signed, 1000 + 3599)).not.to.equal(undefined);
    expect(await open(signed, 1000 + 3600)).to.equal(undefined);
  });

  it('are none when changed, made up, or signed by another server', async () => {
    const signed = sign(pending);
    const bytes = Buffer.from(signed, 'base64url');
    bytes.writeUInt8(bytes.readUInt8(1) ^ 1, 1);
    const foreign = pendingRequests({ secrets: testSecrets(), pushedRequests, deferredRequests, isOn: () => true }).sign(pending);
    for (const text of ['', 'x', signed.slice(0, -1), `${signed}A`, ` ${signed}`, bytes.toString('base64url'), foreign]) {
      expect(await open(text, 1000), text).to.equal(undefined);
    }
  });

  it('need no escaping in a URL', () => {
    expect(sign(pending)).to.match(/^[\w-]+$/);
  });
});
