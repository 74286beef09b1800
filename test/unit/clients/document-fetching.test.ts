import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { documentFetcher } from '../../../src/clients/document-fetching.ts';
import { registrationLimits } from '../../../src/clients/registrable.ts';
import { readConfig } from '../../../src/config/read-config.ts';
import { type OutboundRules, outbound } from '../../../src/outbound/outbound.ts';
import { testAuthority } from '../../support/certificates.ts';
import { documentOf } from '../../support/document-client.ts';

const POLICY = { scope: 'openid', resources: [] };
const reading = readConfig({}, undefined);
if ('problems' in reading) {
  throw new Error(reading.problems.join('\n'));
}
const limits = registrationLimits(reading.config);
const authority = testAuthority('Documents');

/** Why a document was not fetched, or its client's name. */
const outcome = (fetched: Promise<{ readonly metadata: { readonly client_name?: string } }>) =>
  fetched.then(
    ({ metadata }) => metadata.client_name,
    (error: unknown) => (error instanceof Error ? error.message : error),
  );

const mixed = async () => [
  { address: '1.1.1.1', family: 4 },
  { address: '127.0.0.1', family: 4 },
];

/** As the server fetches documents, where every name stands for this machine. */
function fetcher(rules: Partial<OutboundRules> = {}) {
  const send = outbound({
    privateAddresses: true,
    certificateAuthorities: authority.pem,
    resolve: async () => [{ address: '127.0.0.1', family: 4 }],
    ...rules,
  });
  return documentFetcher({ limits, policy: POLICY, clock: { now: () => 1000 }, send });
}

describe('fetching a document by https (draft-ietf-oauth-client-id-metadata-document-02 sections 5 and 8.6)', () => {
  let server: Server;
  let port: number;
  const hosts: string[] = [];
  before(async () => {
    const { pem, key } = authority.issue({ use: 'server', alternativeNames: { dns: 'app.example' } });
    server = createServer({ cert: pem, key }, (request, response) => {
      hosts.push(request.headers.host ?? '');
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify(documentOf(`https://${request.headers.host ?? ''}${request.url ?? ''}`)));
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    ({ port } = server.address() as AddressInfo);
  });
  after(() => new Promise((resolve) => server.close(resolve)));

  it('takes it from whoever has a certificate for the host, and keeps it for five minutes', async () => {
    const { metadata, dates } = await fetcher()(`https://app.example:${port}/client.json`);
    expect(metadata).to.include({ client_name: 'Harbor Notes', scope: 'openid' });
    expect(dates).to.deep.equal({ fetchedAt: 1000, freshUntil: 1300 });
    expect(hosts.at(-1)).to.equal(`app.example:${port}`);
  });

  it('asks as a stranger does, whose names keep nobody else’s waiting', async () => {
    const asked: (boolean | undefined)[] = [];
    const send = async ({ isOfStranger }: { readonly isOfStranger?: boolean }) => {
      asked.push(isOfStranger);
      return { status: 404, headers: {}, body: '' };
    };
    await outcome(documentFetcher({ limits, policy: POLICY, clock: { now: () => 1000 }, send })('https://app.example/client.json'));
    expect(asked).to.deep.equal([true]);
  });

  it('takes it from nobody else', async () => {
    expect(await outcome(fetcher()(`https://other.example:${port}/client.json`))).to.match(/altname|does not match/i);
    const stranger = testAuthority('Stranger').pem;
    expect(await outcome(fetcher({ certificateAuthorities: stranger })(`https://app.example:${port}/client.json`))).to.match(
      /certificate/i,
    );
  });

  it('goes to the address that was looked at, whatever the name stands for a moment later (DNS rebinding)', async () => {
    let asked = 0;
    const resolve = async () => {
      asked += 1;
      return [{ address: asked === 1 ? '127.0.0.1' : '127.0.0.2', family: 4 }];
    };
    expect(await outcome(fetcher({ resolve })(`https://app.example:${port}/client.json`))).to.equal('Harbor Notes');
    expect(asked).to.equal(1);
  });

  it('goes nowhere when one of the addresses of a name is private', async () => {
    const before = hosts.length;
    const fetched = fetcher({ privateAddresses: false, resolve: mixed })(`https://app.example:${port}/client.json`);
    expect(await outcome(fetched)).to.match(/127\.0\.0\.1 is not a public address/);
    expect(hosts).to.have.length(before);
  });
});
