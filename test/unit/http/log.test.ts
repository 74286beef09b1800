import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { StorageUnavailable } from '../../../src/core/errors.ts';
import { auditLog } from '../../../src/http/audit-log.ts';
import { createLog } from '../../../src/http/log.ts';
import { ask, echo, mount, postForm, startServer } from './running-server.ts';

describe('http: the log', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'keyturn-log-'));
    file = join(folder, 'log');
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const lines = () =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));

  it('is one JSON object a line, with the time and the name of the level', async () => {
    const { logger, flush } = createLog({ level: 'info', descriptor: openSync(file, 'w') });
    logger.info({ url: 'http://localhost:4000' }, 'listening');
    logger.debug('not asked for');
    await flush();
    expect(lines()).to.have.length(1);
    expect(lines()[0]).to.include({ level: 'info', msg: 'listening', url: 'http://localhost:4000' });
    expect(lines()[0].time).to.match(/^\d{4}-\d\d-\d\dT.*Z$/);
  });

  it('keeps the order of many lines', async () => {
    const { logger, flush } = createLog({ level: 'info', descriptor: openSync(file, 'w') });
    for (let i = 0; i < 10_000; i++) {
      logger.info({ i });
    }
    await flush(10_000);
    expect(lines().map(({ i }) => i)).to.deep.equal(Array.from({ length: 10_000 }, (_, i) => i));
  });

  it('tells the causes of a failure, and no other member of it', async () => {
    const { logger, flush } = createLog({ level: 'info', descriptor: openSync(file, 'w') });
    const cause = Object.assign(new Error('duplicate key'), {
      code: '23505',
      detail: 'Key (username)=(alice) already exists.',
      parameters: ['hunter2'],
    });
    logger.error({ err: new StorageUnavailable('no write', { cause }) });
    logger.error({ err: 'hunter2' });
    await flush();
    const [first] = lines();
    expect(first.err).to.include({ type: 'StorageUnavailable', message: 'no write' });
    expect(first.err.cause).to.include({ message: 'duplicate key', code: '23505' });
    expect(readFileSync(file, 'utf8')).not.to.match(/alice|hunter2/);
  });

  it('writes the audit trail as lines of its own, and warns of what looks like an attack', async () => {
    const { logger, flush } = createLog({ level: 'info', descriptor: openSync(file, 'w') });
    const audit = auditLog(logger);
    audit.record('login', { userId: 'u1', remoteAddress: '192.0.2.1' });
    audit.record('refresh_token_reuse', { grantId: 'g1', clientId: undefined });
    await flush();
    expect(lines()[0]).to.include({ level: 'info', audit: true, event: 'login', userId: 'u1' });
    expect(lines()[1]).to.include({ level: 'warn', audit: true, event: 'refresh_token_reuse', grantId: 'g1' });
  });

  it('holds up neither the process nor its exit when nobody reads it, and counts what is lost', async () => {
    const program = `
      import { createLog } from ${JSON.stringify(new URL('../../../src/http/log.ts', import.meta.url).href)};
      const { logger, flush } = createLog({ level: 'info' });
      for (let i = 0; i < 200; i++) logger.info({ i, text: 'x'.repeat(50_000) });
      let resumed = false;
      setTimeout(() => process.stderr.write('free\\n'), 50);
      process.stdin.once('data', async () => { await flush(5000); await flush(5000); process.exit(0); });
      process.stdin.once('end', async () => { await flush(20); process.exit(7); });
    `;
    for (const reads of [true, false]) {
      const child = spawn(process.execPath, ['--import=tsx', '--input-type=module', '-e', program], { stdio: ['pipe', 'pipe', 'pipe'] });
      await once(child.stderr, 'data');
      let text = '';
      if (reads) {
        child.stdout.on('data', (chunk) => {
          text += chunk;
        });
        child.stdin.write('go');
      } else {
        child.stdin.end();
      }
      const [code] = await once(child, reads ? 'close' : 'exit');
      expect(code).to.equal(reads ? 0 : 7);
      if (reads) {
        const written = text
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line));
        const last = written.at(-1);
        expect(last.msg).to.match(/dropped/);
        expect(written.length - 1 + last.lines).to.equal(200);
      }
      child.stdout.destroy();
      child.stderr.destroy();
    }
  }).timeout(20_000);
});

describe('http: what is logged of a request', () => {
  it('one line: the endpoint, how it went and how long it took, and nothing that a client sent', async () => {
    const server = await startServer({ mounted: [mount('/token', ['POST', 'GET'], echo)] });
    const headers = {
      authorization: 'Basic c2VjcmV0LTE=',
      cookie: 'session=secret-2',
      referer: 'https://a.example/?secret-3',
      'user-agent': 'secret-4',
    };
    await postForm(`${server.url}/token?code=secret-5`, 'password=secret-6', headers);
    await postForm(`${server.url}/secret-7?x=secret-8`, '', headers);
    await ask(`${server.url}/token?secret-9=%zz`, { headers });
    await ask(`${server.url}/health/live`);
    await server.http.close(1000);
    expect(server.logged.map(({ level, method, route, status }) => [level, method, route, status])).to.deep.equal([
      [30, 'POST', '/token', 200],
      [30, 'POST', undefined, 404],
      [30, 'GET', '/token', 400],
      [20, 'GET', '/health/live', 200],
    ]);
    for (const line of server.logged) {
      expect(line['requestId']).to.be.a('string');
      expect(line['ms']).to.be.a('number');
      expect(line['remoteAddress']).to.equal('127.0.0.1');
    }
    expect(JSON.stringify(server.logged)).not.to.match(/secret|c2VjcmV0/);
  });
});
