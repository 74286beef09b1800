import { expect } from 'chai';
import { boundedFetches, TooManyFetches } from '../../../src/outbound/bounded-fetches.ts';

const refused = (doing: Promise<unknown>) =>
  doing.then(
    () => false,
    (error: unknown) => error instanceof TooManyFetches,
  );

describe('bounded fetches', () => {
  it('let a host have its share, and others the rest', async () => {
    const fetches = boundedFetches({ most: 3, mostOfHost: 2 });
    const ends: (() => void)[] = [];
    const run = () => new Promise<void>((resolve) => void ends.push(resolve));
    const running = [fetches('a', run), fetches('a', run)];
    expect(await refused(fetches('a', run))).to.equal(true);
    running.push(fetches('b', run));
    expect(await refused(fetches('c', run))).to.equal(true);
    ends.forEach((end) => end());
    await Promise.all(running);
    expect(ends).to.have.length(3);
    expect(await refused(fetches('a', async () => undefined))).to.equal(false);
  });

  it('have a place again for what failed', async () => {
    const fetches = boundedFetches({ most: 1, mostOfHost: 1 });
    for (let attempt = 0; attempt < 3; attempt++) {
      const failed = fetches('a', async () => {
        throw new Error('no');
      });
      expect(await failed.catch((error: unknown) => String(error))).to.equal('Error: no');
    }
  });
});
