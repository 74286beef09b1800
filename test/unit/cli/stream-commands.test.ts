import { expect } from 'chai';
import type { EventStream } from '../../../src/signals/event-stream.ts';
import { STREAM_UPDATED } from '../../../src/signals/event-types.ts';
import { newOperator, type Operator, START } from './in-process.ts';

describe('keyturn stream', () => {
  let operator: Operator;
  let stream: EventStream;
  beforeEach(async () => {
    operator = await newOperator();
    const metadata = JSON.stringify({ grant_types: ['client_credentials'], scope: 'ssf.manage' });
    const made = await operator.keyturn(['client', 'create', '--file', '-', '--json'], metadata);
    const { client_id: clientId } = made.json<{ client_id: string }>();
    stream = {
      id: 'stream1',
      clientId,
      delivery: { method: 'poll' },
      eventsRequested: [],
      description: 'mine',
      status: 'enabled',
      statusReason: undefined,
      version: 1,
      createdAt: START,
    };
    await operator.withRecords(({ eventStreams }) => eventStreams.create(stream, 1));
  });

  it('list: shows every stream', async () => {
    const { id, clientId } = stream;
    expect((await operator.keyturn(['stream', 'list', '--json'])).json()).to.deep.equal([
      { stream_id: id, client_id: clientId, method: 'urn:ietf:rfc:8936', status: 'enabled', description: 'mine', created_at: START },
    ]);
    expect((await operator.keyturn(['stream', 'list'])).stdout)
      .to.include(id)
      .and.include('(polled)');
  });

  it('pause, enable: set the status and tell the receiver (SSF 1.0 section 8.1.5)', async () => {
    const paused = await operator.keyturn(['stream', 'pause', stream.id, '--reason', 'maintenance', '--json']);
    expect(paused.json()).to.deep.equal({ stream_id: stream.id, status: 'paused', reason: 'maintenance' });
    expect((await operator.keyturn(['stream', 'enable', stream.id])).status).to.equal(0);
    const told = await operator.withRecords(({ eventStreams }) => eventStreams.pending(stream.id, 10));
    expect(told.map(({ type, event }) => [type, event])).to.deep.equal([
      [STREAM_UPDATED, { status: 'paused', reason: 'maintenance' }],
      [STREAM_UPDATED, { status: 'enabled' }],
    ]);
  });

  it('disable: says what it cannot find, and changes nothing', async () => {
    expect(await operator.keyturn(['stream', 'disable', 'none'])).to.include({ status: 1, stdout: '' });
    const found = await operator.withRecords(({ eventStreams }) => eventStreams.find(stream.clientId, stream.id));
    expect(found).to.deep.equal(stream);
  });
});
