import { expect } from 'chai';
import { StorageUnavailable } from '../../../src/core/errors.ts';
import { isRetryable, reportOutages } from '../../../src/storage/failures.ts';
import { rejection } from './records.ts';

const OUTAGES = {
  'a lock that another process holds': { code: 'SQLITE_BUSY' },
  'a full disk': { code: 'SQLITE_FULL' },
  'a disk that fails': { code: 'SQLITE_IOERR' },
  'a file that became read-only': { code: 'SQLITE_READONLY' },
  'a damaged file': { code: 'SQLITE_CORRUPT' },
  'a server that does not listen': { code: 'ECONNREFUSED' },
  'a server that shuts down': { code: '57P01' },
  'a statement that took too long': { code: '57014' },
  'too many connections': { code: '53300' },
  'a standby, which takes no writes': { code: '25006' },
  'a lock that was waited for too long': { code: '55P03' },
  'a deadlock': { code: '40P01' },
  'a connection that broke': { message: 'UPDATE grants SET … - Connection terminated unexpectedly' },
  'an answer that did not come': { message: 'SELECT 1 - Query read timeout' },
  'a pool without a free connection': { name: 'KnexTimeoutError' },
} as const;

const BUGS = {
  'a statement that is wrong': { code: 'SQLITE_ERROR' },
  'a broken constraint (SQLite)': { code: 'SQLITE_CONSTRAINT' },
  'a broken constraint (PostgreSQL)': { code: '23503' },
  'an unknown column': { code: '42703' },
  'a program that is wrong': { name: 'TypeError', message: 'x is not a function' },
} as const;

function failing(members: { readonly code?: string; readonly name?: string; readonly message?: string }): Promise<never> {
  return reportOutages(() => Promise.reject(Object.assign(new Error('failed'), members)));
}

describe('failures of the database', () => {
  for (const [what, members] of Object.entries(OUTAGES)) {
    it(`reports ${what} as an outage, with its cause`, async () => {
      const error = await rejection(failing(members));
      expect(error).to.be.instanceOf(StorageUnavailable);
      expect(error.cause).to.include(members);
    });
  }

  for (const [what, members] of Object.entries(BUGS)) {
    it(`passes ${what} on as it is`, async () => {
      const error = await rejection(failing(members));
      expect(error).not.to.be.instanceOf(StorageUnavailable);
      expect(error).to.include(members);
    });
  }

  it('passes an outage that was reported already on as it is', async () => {
    const outage = new StorageUnavailable('closed');
    expect(await rejection(reportOutages(() => Promise.reject(outage)))).to.equal(outage);
  });

  it('knows what may simply run again', () => {
    expect(['40001', '40P01', '57014'].map((code) => isRetryable(Object.assign(new Error('x'), { code })))).to.deep.equal([
      true,
      true,
      false,
    ]);
  });
});
