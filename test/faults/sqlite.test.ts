import { open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { openDatabase } from '../../src/storage/open-database.ts';
import { sqliteDatabases } from '../support/databases.ts';
import { type Deployment, prepareDeployment } from '../support/deployment.ts';
import { goThroughOutage } from '../support/outage.ts';
import type { Exit, ServerProcess } from '../support/server-process.ts';
import { makeSmallDisk, skipWithoutImmutableFiles, skipWithoutMounts, withImmutable } from '../support/small-disk.ts';
import { type TokenRequests, tokenRequests } from '../support/token-requests.ts';

describe('a SQLite database that fails under a running server', () => {
  const databases = sqliteDatabases();
  let path: string;
  let deployment: Deployment;
  let requests: TokenRequests;
  let server: ServerProcess;

  async function begin(file: string): Promise<void> {
    path = file;
    deployment = await prepareDeployment({ kind: 'sqlite', path });
    requests = tokenRequests(deployment.client);
    server = await deployment.start();
  }

  beforeEach(async () => {
    const location = await databases.create();
    path = location.kind === 'sqlite' ? location.path : '';
  });

  afterEach(async () => {
    requests?.close();
    await deployment?.end();
  });

  after(() => databases.dispose());

  it('because another process keeps the lock: 503, and all goes on afterwards', async () => {
    await begin(path);
    const other = await openDatabase(deployment.location);
    try {
      await goThroughOutage({ deployment, requests, server }, async (whileItLasts) => {
        await other.rows('BEGIN IMMEDIATE', []);
        await whileItLasts();
        await other.rows('ROLLBACK', []);
      });
    } finally {
      await other.close();
    }
  }).timeout(30_000);

  it('because its file was deleted: it is not ready, and says why', async () => {
    await begin(path);
    const content = await readFile(path);
    await rm(path);
    const response = await fetch(`${server.url}/health/ready`);
    expect(response.status).to.equal(503);
    expect(((await response.json()) as { checks: object }).checks).to.include({ database: 'unavailable' });
    await writeFile(path, content);
    expect((await fetch(`${server.url}/health/ready`)).status, 'a replaced file').to.equal(503);
  });

  describe('on a small disk', () => {
    before(skipWithoutMounts);

    it('because the disk is full: 503 and no token, and all goes on when there is room', async () => {
      const disk = await makeSmallDisk(8);
      try {
        await begin(join(disk.folder, 'keyturn.sqlite'));
        const filler = join(disk.folder, 'filler');
        await goThroughOutage({ deployment, requests, server }, async (whileItLasts) => {
          await fill(filler);
          await whileItLasts();
          await rm(filler);
        });
      } finally {
        await deployment.end();
        await disk.remove();
      }
    }).timeout(30_000);

    it('does not start where nothing can be written', async () => {
      const disk = await makeSmallDisk(8);
      try {
        deployment = await prepareDeployment({ kind: 'sqlite', path: join(disk.folder, 'keyturn.sqlite') });
        await disk.setReadOnly(true);
        expectOneLine(await deployment.refusesToStart(), disk.folder);
      } finally {
        await disk.remove();
      }
    }).timeout(30_000);
  });

  describe('with immutable files', () => {
    before(skipWithoutImmutableFiles);

    it('because it turned read-only: 503 and no token, and all goes on when it can be written', async () => {
      await begin(path);
      await goThroughOutage({ deployment, requests, server }, (whileItLasts) => withImmutable([path, `${path}-wal`], whileItLasts));
    }).timeout(30_000);
  });
});

describe('a SQLite database as a server finds it', () => {
  const databases = sqliteDatabases();
  let path: string;
  let deployment: Deployment;

  beforeEach(async () => {
    const location = await databases.create();
    path = location.kind === 'sqlite' ? location.path : '';
    deployment = await prepareDeployment(location);
  });

  afterEach(() => deployment.end());

  after(() => databases.dispose());

  it('damaged: does not start, says which file and what to do, and leaves it as it is', async () => {
    await deployment.grants(200);
    const file = await open(path, 'r+');
    await file.write(Buffer.alloc(3 * 4096, 0xa5), 0, 3 * 4096, 2 * 4096);
    await file.close();
    const before = await readFile(path);
    const exit = await deployment.refusesToStart();
    expectOneLine(exit, path);
    expect(exit.stderr).to.contain('put a backup in its place');
    expect((await readFile(path)).equals(before)).to.equal(true);
  });

  it('without its -shm, after a kill: starts, and nothing is lost', async () => {
    const requests = tokenRequests(deployment.client);
    const [grant] = await deployment.grants(1);
    const first = await deployment.start();
    const answer = await requests.refresh(first.url, grant?.token ?? '');
    await first.kill();
    await rm(`${path}-shm`);
    const second = await deployment.start();
    const successor = (answer.kind === 'answer' && answer.body.refresh_token) || '';
    expect(await requests.refresh(second.url, successor)).to.deep.include({ status: 200 });
    expect(second.log.filter(({ event }) => event === 'refresh_token_ahead_of_database')).to.deep.equal([]);
    requests.close();
  });
});

function expectOneLine({ code, stderr }: Exit, naming: string): void {
  expect(code).to.equal(2);
  expect(stderr.trim().split('\n')).to.have.length(1);
  expect(stderr).to.contain(naming);
}

/** Takes all the room there is, page by page. */
async function fill(path: string): Promise<void> {
  const file = await open(path, 'w');
  try {
    for (;;) {
      await file.write(Buffer.alloc(4096));
    }
  } catch (error) {
    expect(error).to.have.property('code', 'ENOSPC');
  } finally {
    await file.close();
  }
}
