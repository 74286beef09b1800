import { expect } from 'chai';
import { type CleanupPace, slicesAt } from '../../../src/storage/cleanup-pace.ts';

describe('the pace of the cleanup', () => {
  let now: number;
  const pace: CleanupPace = {
    sliceMilliseconds: 25,
    leastPages: 3,
    pageMilliseconds: 5,
    smallestPage: 100,
    largestPage: 500,
    walkSeconds: 60,
    elapsed: () => now,
  };

  beforeEach(() => {
    now = 1000;
  });

  /** The sizes of the pages of a slice, each of which takes as long as `cost` says. */
  async function sizes(slice: ReturnType<typeof slicesAt>, cost: (rows: number) => number): Promise<readonly number[]> {
    const seen: number[] = [];
    await slice(async (rows) => {
      seen.push(rows);
      now += cost(rows);
      return { deleted: rows, isLast: false };
    });
    return seen;
  }

  it('takes larger pages where they are quick, up to a bound, and ends with the slice', async () => {
    const slice = slicesAt(pace);
    expect(await sizes(slice, (rows) => rows / 100)).to.deep.equal([100, 200, 400, 400, 400, 400, 400, 400]);
    expect(await sizes(slicesAt(pace), () => 2)).to.deep.equal([100, 200, 400, 500, 500, 500, 500, 500, 500, 500, 500, 500, 500]);
  });

  it('takes smaller pages where requests wait for them, down to a bound', async () => {
    const slice = slicesAt(pace);
    await sizes(slice, () => 1);
    expect(await sizes(slice, () => 8)).to.deep.equal([500, 250, 125, 100]);
    expect(await sizes(slice, () => 8)).to.deep.equal([100, 100, 100, 100]);
  });

  it('does some pages however slow they are, or the table would outgrow it', async () => {
    expect(await sizes(slicesAt(pace), () => 1000)).to.deep.equal([100, 100, 100]);
  });

  it('ends with the last page, and tells how many rows went', async () => {
    let pages = 0;
    const deleted = await slicesAt(pace)(async () => {
      pages++;
      return { deleted: 7, isLast: pages === 2 };
    });
    expect(deleted).to.equal(14);
  });
});
