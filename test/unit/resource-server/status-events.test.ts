import { expect } from 'chai';
import { eventStreamParser } from '../../../src/resource-server/event-stream.ts';
import { type ResourceServer, resourceServer } from '../../../src/resource-server/resource-server.ts';
import { RESOURCE, startIssuer, type TestIssuer } from '../../support/issuer.ts';
import { bearer, denied, granted } from './requests.ts';

const change = (data: object, id = 2): string => `id: ${id}\nevent: change\ndata: ${JSON.stringify(data)}\n\n`;

/** Things of another socket come when they come; each turn asks again. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 8000;
  while (!(await holds())) {
    if (performance.now() > deadline) {
      throw new Error('It never came to that.');
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('resource server library: listening for revocations', () => {
  let issuer: TestIssuer;
  let api: ResourceServer;
  let elapsed = 0;

  beforeEach(async () => {
    issuer = await startIssuer({ events: true });
    api = resourceServer({
      issuer: issuer.url,
      resource: RESOURCE,
      time: { epochSeconds: () => issuer.now(), elapsedSeconds: () => elapsed },
    });
    await granted(api, bearer(await tokenAt(5)));
    await until(() => issuer.listeners() === 1);
    // The list from before it listened is fetched once more.
    elapsed += 0.1;
    await granted(api, bearer(await tokenAt(5)));
    issuer.requests.length = 0;
  });
  afterEach(async () => {
    api.close();
    await issuer.close();
  });

  const tokenAt = (idx: number): Promise<string> => issuer.token({ status: { status_list: { uri: issuer.listUrl, idx } } });
  const isRefused = async (idx: number): Promise<boolean> =>
    api.authorize(bearer(await tokenAt(idx))).then(
      () => false,
      () => true,
    );

  it('refuses at once what was announced, without fetching anything', async () => {
    issuer.tell(change({ status_lists: [issuer.listUrl], idx: [5, 9] }));
    await until(() => isRefused(5));
    await denied(api, bearer(await tokenAt(9)));
    await granted(api, bearer(await tokenAt(6)));
    expect(issuer.requests).to.deep.equal([]);
  });

  it('fetches the list that changed where it is not said how, before it lets anybody in by it', async () => {
    issuer.revoked.add(5);
    elapsed += 0.1;
    issuer.tell(change({ status_lists: [issuer.listUrl] }));
    await until(() => isRefused(5));
    expect(issuer.requests).to.deep.equal(['/lists/1']);
  });

  it('fetches everything again at a reset, or at an event it does not understand', async () => {
    issuer.revoked.add(5);
    elapsed += 0.1;
    issuer.tell('event: reset\ndata: {}\n\n');
    await until(() => isRefused(5));
    issuer.revoked.add(6);
    elapsed += 0.1;
    issuer.tell('event: change\ndata: {"status_lists":7}\n\n');
    await until(() => isRefused(6));
  });

  it('needs no fetch in the ttl while the issuer is heard, and fetches again when it falls silent', async () => {
    elapsed += 30;
    issuer.tell(': still here\n\n');
    await until(async () => {
      issuer.requests.length = 0;
      await granted(api, bearer(await tokenAt(5)));
      return issuer.requests.length === 0;
    });
    elapsed += 41;
    issuer.revoked.add(5);
    expect(await isRefused(5)).to.equal(true);
  });

  it('comes back after a cut, and says what it heard last', async () => {
    issuer.tell('id: 77\n\n');
    await until(async () => !(await isRefused(1)));
    issuer.hangUp();
    await until(() => issuer.lastEventIds.length === 2);
    expect(issuer.lastEventIds[1]).to.be.oneOf(['77', '1']);
    await until(() => issuer.listeners() === 1);
  });

  it('counts the bound from what it heard last, and not from the fetch of the list, when the issuer goes away', async () => {
    elapsed += 250;
    issuer.tell(': still here\n\n');
    await until(async () => {
      issuer.requests.length = 0;
      await granted(api, bearer(await tokenAt(5)));
      return issuer.requests.length === 0;
    });
    issuer.isAway = true;
    issuer.hangUp();
    await until(() => issuer.listeners() === 0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    elapsed += 59;
    await granted(api, bearer(await tokenAt(5)));
    elapsed += 2;
    expect((await denied(api, bearer(await tokenAt(5)))).status).to.equal(503);
  });

  it('stops when it is closed', async () => {
    api.close();
    await until(() => issuer.listeners() === 0);
  });
});

describe('event streams (WHATWG HTML section 9.2.6)', () => {
  it('are read alike however they are cut', () => {
    const text = ': hello\nid: 3\nevent: change\ndata: {"a":1}\ndata: more\n\ndata\n\nevent: none\n\nid\ndata: x\r\n\r\n';
    const whole = eventStreamParser();
    const expected = [
      { type: 'change', data: '{"a":1}\nmore' },
      { type: 'message', data: '' },
      { type: 'message', data: 'x' },
    ];
    expect(whole.push(text)).to.deep.equal(expected);
    expect(whole.lastEventId()).to.equal('');
    const pieces = eventStreamParser();
    expect(text.split('').flatMap((character) => pieces.push(character))).to.deep.equal(expected);
  });

  it('have no line without end', () => {
    expect(() => eventStreamParser().push('x'.repeat(2 * 1024 * 1024))).to.throw('no end');
  });
});
