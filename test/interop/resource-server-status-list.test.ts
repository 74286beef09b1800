import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { AccessDenied, type ResourceServer, resourceServer } from '../../src/resource-server/resource-server.ts';
import { eventually } from '../support/answers.ts';
import { logIn, refresh } from '../support/browser.ts';
import { suiteServer } from '../support/suite-server.ts';

const RESOURCE = 'https://api.example/';

async function isLetIn(at: ResourceServer, token: string): Promise<boolean> {
  const header = (name: string): string | undefined => (name.toLowerCase() === 'authorization' ? `Bearer ${token}` : undefined);
  try {
    await at.authorize({ method: 'GET', target: '/', header });
    return true;
  } catch (error) {
    if (error instanceof AccessDenied) {
      return false;
    }
    throw error;
  }
}

describe('a resource server that reads the status lists', () => {
  const server = suiteServer({ STATUS_LIST_TTL: '1s' });
  const problems: unknown[] = [];
  const fetched: string[] = [];
  beforeEach(() => void fetched.splice(0));
  const apis: ResourceServer[] = [];
  afterEach(() => {
    for (const each of apis.splice(0)) {
      each.close();
    }
  });

  function api(listen: boolean): ResourceServer {
    const made = resourceServer({
      issuer: server().issuer,
      resource: RESOURCE,
      statusLists: { requireStatus: true, listen },
      onProblem: (error) => problems.push(error),
      fetch: (input, init) => {
        fetched.push(input instanceof Request ? input.url : input.toString());
        return fetch(input, init);
      },
    });
    apis.push(made);
    return made;
  }

  for (const [how, listen] of [
    ['is told of it', true],
    ['looks into the list when its ttl is over', false],
  ] as const) {
    it(`refuses a token a moment after its grant was revoked, when it ${how}`, async () => {
      const own = api(listen);
      const client = await server().client({ skip_consent: true, allowed_resources: [RESOURCE] });
      const user = await server().user();
      const [ended, other] = [await logIn(server(), client, user), await logIn(server(), client, user)];
      expect(await isLetIn(own, ended.access_token)).to.equal(true);
      await eventually(async () => {
        expect(fetched.some((url) => url.endsWith('/status-lists/events'))).to.equal(listen);
      });
      // Until the answer to that is there.
      await pause(300);
      expect(await isLetIn(own, ended.access_token)).to.equal(true);

      await server().post('/revoke', { token: ended.refresh_token }, client);
      const revokedAt = performance.now();
      await eventually(async () => {
        expect(await isLetIn(own, ended.access_token)).to.equal(false);
      });
      expect(performance.now() - revokedAt).to.be.below(listen ? 500 : 2500);
      expect(await isLetIn(own, other.access_token)).to.equal(true);
      const { body } = await refresh(server(), client, other.refresh_token);
      expect(await isLetIn(own, body.access_token)).to.equal(true);
      expect(problems).to.deep.equal([]);
    });
  }
});
