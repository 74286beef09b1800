import { expect } from 'chai';
import type { ProtocolRequest } from '../../src/core/endpoint.ts';
import { statusListEventsEndpoint } from '../../src/endpoints/status-lists.ts';
import { statusListeners } from '../../src/status-lists/listeners.ts';
import type { StatusLists } from '../../src/status-lists/status-lists.ts';
import { answerOf, expectError } from '../support/answers.ts';
import { logIn } from '../support/browser.ts';
import { type EventListener, listenTo } from '../support/event-listener.ts';
import { fetchList, referenceIn, statusAt, statusOf } from '../support/status-list-decoder.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestClient } from '../support/test-server.ts';

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

describe('abuse of status lists (draft-ietf-oauth-status-list sections 11 and 12)', () => {
  const server = suiteServer();
  let client: TestClient;
  before(async () => {
    client = await server().client({ skip_consent: true });
  });

  async function tokenOf(one: TestClient): Promise<string> {
    const { body } = await answerOf(server().post('/token', { grant_type: 'client_credentials' }, one));
    return String(body['access_token']);
  }

  it('indices tell neither the order nor the number of tokens, nor whose they are (section 12.4)', async () => {
    const other = await server().client();
    const indices: number[] = [];
    for (let count = 0; count < 200; count++) {
      indices.push(referenceIn(await tokenOf(count % 2 === 0 ? client : other)).idx);
    }
    expect(new Set(indices).size).to.equal(200);
    // As many rise as fall, the whole list is in use from the first token on, and neighbours in time are no neighbours in the list.
    const steps = indices.slice(1).map((index, at) => index - (indices[at] ?? 0));
    expect(steps.filter((step) => step > 0).length).to.be.within(70, 130);
    expect(steps.filter((step) => Math.abs(step) < 1000).length).to.be.below(8);
    expect(indices.filter((index) => index >= 524_288).length).to.be.within(65, 135);
    const [mine, others] = [indices.filter((_, at) => at % 2 === 0), indices.filter((_, at) => at % 2 === 1)];
    expect(Math.abs(mean(mine) - mean(others))).to.be.below(200_000);
  });

  it('an unused index looks like a valid token: the list does not tell how many there are (section 13.3)', async () => {
    const { uri, idx } = referenceIn(await tokenOf(client));
    const { list } = await fetchList(server(), uri);
    const unused = Array.from({ length: 100 }, (_, at) => (idx + 1 + at * 7919) % 1_048_576);
    expect([idx, ...unused].every((index) => statusAt(list, index) === 0)).to.equal(true);
  });

  it('another client cannot put a token on the list', async () => {
    const token = await tokenOf(client);
    const other = await server().client();
    expectError(await answerOf(server().post('/revoke', { token }, other)), 'invalid_grant');
    expect(await statusOf(server(), token)).to.equal(0);
  });

  it('a forged token with the reference of a stranger revokes nothing', async () => {
    const victim = await tokenOf(client);
    const mine = await tokenOf(await server().client());
    const [header, , signature] = mine.split('.');
    const claims = JSON.parse(Buffer.from(mine.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
    const forged = [
      header,
      Buffer.from(JSON.stringify({ ...claims, status: { status_list: referenceIn(victim) } })).toString('base64url'),
      signature,
    ];
    await server().post('/revoke', { token: forged.join('.') }, client);
    expect(await statusOf(server(), victim)).to.equal(0);
  });

  it('a status list is no access token, whoever presents it', async () => {
    const list = await (await fetch(referenceIn(await tokenOf(client)).uri)).text();
    const { body } = await answerOf(server().post('/introspect', { token: list }, client));
    expect(body).to.deep.equal({ active: false });
    expect((await server().get('/userinfo', { authorization: `Bearer ${list}` })).status).to.equal(401);
  });

  it('a list cannot be asked of a key that never was one, so nothing is signed for a name that a stranger made up', async () => {
    const { uri } = referenceIn(await tokenOf(client));
    for (const name of ['AAAAAAAA', '../jwks', '%2e%2e', 'status', '']) {
      const answer = await fetch(uri.replace(/\/[\w-]{8}\/(\d+)$/, `/${name}/$1`));
      expect(answer.status, name).to.equal(404);
      expect(answer.headers.get('content-type')).not.to.equal('application/statuslist+jwt');
    }
  });

  it('made-up numbers of lists are refused, however many are asked for at once, and the server goes on', async () => {
    const { uri } = referenceIn(await tokenOf(client));
    const answers = await Promise.all(Array.from({ length: 200 }, (_, at) => fetch(uri.replace(/\d+$/, String(1000 + at)))));
    expect(new Set(answers.map(({ status }) => status))).to.deep.equal(new Set([404]));
    expect(await statusOf(server(), await tokenOf(client))).to.equal(0);
  });

  it('a flood of listeners from one address is refused and says when to come back, while the lists and tokens go on', async () => {
    const listeners: EventListener[] = [];
    try {
      for (let count = 0; count < 50; count++) {
        listeners.push(await listenTo(`${server().url}/status-lists/events`));
      }
      const refused = await answerOf(server().get('/status-lists/events'));
      expectError(refused, 'temporarily_unavailable', 503);
      expect(Number(refused.headers.get('retry-after'))).to.be.above(0);
      const user = await server().user();
      const tokens = await logIn(server(), client, user);
      await server().post('/revoke', { token: tokens.refresh_token }, client);
      expect(await statusOf(server(), tokens.access_token)).to.equal(1);
    } finally {
      for (const listener of listeners) {
        listener.close();
      }
    }
  });

  it('the addresses of one IPv6 subscriber have the room of one address, and leave the rest to others', async () => {
    const listeners = statusListeners({ clock: { now: () => 1000 } });
    const endpoint = statusListEventsEndpoint({ statusLists: { listeners } as StatusLists });
    const listen = async (remoteAddress: string): Promise<void> => {
      const response = await endpoint.handle({ headers: {}, remoteAddress } as ProtocolRequest);
      if (response.kind === 'stream') {
        response.open({ write: () => undefined });
      }
    };
    for (let count = 0; count < 50; count++) {
      await listen(`2001:db8::${count.toString(16)}`);
    }
    const refusal = await listen('2001:db8::ffff').catch((error: unknown) => error);
    expect(refusal).to.include({ code: 'temporarily_unavailable' });
    await listen('2001:db8:0:1::1');
  });
});
