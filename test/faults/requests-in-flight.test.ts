import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { onEachDatabase } from '../support/databases.ts';
import { type Deployment, prepareDeployment } from '../support/deployment.ts';
import { rotationLoad } from '../support/rotation-load.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { basic } from '../support/test-server.ts';
import { type TokenRequests, tokenRequests } from '../support/token-requests.ts';

onEachDatabase('requests in flight', (databases) => {
  let deployment: Deployment;
  let requests: TokenRequests;
  let server: ServerProcess;

  before(async () => {
    deployment = await prepareDeployment(await databases.create(), { REFRESH_TOKEN_GRACE: '60s' });
    requests = tokenRequests(deployment.client);
  });

  beforeEach(async () => {
    server = await deployment.start();
  });

  afterEach(async () => {
    await deployment.end();
  });

  after(() => requests?.close());

  it('are answered before the server ends (SIGTERM), half-sent ones too, and it ends in time with status 0', async () => {
    const load = rotationLoad(await deployment.grants(100), requests);
    const halves = await Promise.all((await deployment.grants(20)).map(({ token }) => halfSent(server, deployment, token)));
    const running = load.start(server.url);
    await pause(300);
    const begun = performance.now();
    const exit = server.stop();
    await pause(100);
    for (const half of halves) {
      half.finish();
    }
    expect(await Promise.all(halves.map(({ status }) => status))).to.deep.equal(halves.map(() => 200));
    const { code, log } = await exit;
    await running.stop();
    expect(code).to.equal(0);
    expect(performance.now() - begun).to.be.lessThan(10_000);
    expect(log.at(-1)).to.include({ msg: 'stopped' });
    expect(load.violations).to.deep.equal([]);

    // Who got no answer was refused before anything was done, or can repeat; and nothing acknowledged is lost.
    const next = await deployment.start();
    await load.repeatLast(next.url);
    expect(load.violations).to.deep.equal([]);
    expect(next.log.filter(({ event }) => event === 'refresh_token_ahead_of_database')).to.deep.equal([]);
  }).timeout(30_000);

  it('whose clients disconnect cost nobody anything: each repeats its own and goes on', async () => {
    const grants = await deployment.grants(200);
    for (const [index, { token }] of grants.entries()) {
      const { socket, finish } = await halfSent(server, deployment, token);
      // A third with half a body, a third as soon as all is sent, the rest a moment later.
      if (index % 3 > 0) {
        finish();
        await pause(index % 3);
      }
      socket.destroy();
    }
    const answers = await Promise.all(grants.map(({ token }) => requests.refresh(server.url, token)));
    expect(answers.map((outcome) => outcome.kind === 'answer' && outcome.status)).to.deep.equal(grants.map(() => 200));
    const recorded = await deployment.recorded(grants.map(({ id }) => id));
    expect(recorded.map(({ generation, revokedAt }) => [generation, revokedAt])).to.deep.equal(grants.map(() => [2, undefined]));
    expect(server.log.filter(({ level }) => level === 'error')).to.deep.equal([]);
  }).timeout(30_000);
});

/** A refresh of which the last byte is still to come. */
async function halfSent(
  { port }: ServerProcess,
  { client }: Deployment,
  token: string,
): Promise<{ readonly socket: Socket; readonly status: Promise<number>; finish(): void }> {
  const body = `grant_type=refresh_token&refresh_token=${token}`;
  const head = [
    'POST /token HTTP/1.1',
    'host: localhost',
    `authorization: ${basic(client)}`,
    'content-type: application/x-www-form-urlencoded',
    `content-length: ${body.length}`,
  ].join('\r\n');
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  let answer = '';
  const status = new Promise<number>((resolve) => {
    socket.setEncoding('utf8').on('data', (text: string) => {
      answer += text;
    });
    socket.on('error', () => socket.destroy());
    socket.once('close', () => resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0)));
  });
  socket.write(`${head}\r\n\r\n${body.slice(0, -1)}`);
  return { socket, status, finish: () => void socket.write(body.slice(-1)) };
}
