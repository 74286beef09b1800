import { expect } from 'chai';
import { migrations } from '../../../migrations/index.ts';
import { newOperator } from './in-process.ts';

const NAMES = migrations.map(({ name }) => name);

describe('keyturn migrate', () => {
  it('status, up, down: each says what it found or did', async () => {
    const operator = await newOperator({}, false);
    const migrate = async (verb: string): Promise<unknown> => (await operator.keyturn(['migrate', verb, '--json'])).json();
    expect(await migrate('status')).to.deep.equal(NAMES.map((name) => ({ name })));
    expect(await migrate('up')).to.deep.equal({ applied: NAMES });
    expect(await migrate('up')).to.deep.equal({ applied: [] });
    expect((await operator.keyturn(['migrate', 'status'])).stdout).to.match(/^0001-initial +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/m);
    for (const name of NAMES.toReversed()) {
      expect(await migrate('down')).to.deep.equal({ undone: name });
    }
    expect(await migrate('down')).to.deep.equal({ undone: null });
    expect((await operator.keyturn(['migrate', 'status'])).stdout).to.match(/^0001-initial +pending$/m);
  });
});
