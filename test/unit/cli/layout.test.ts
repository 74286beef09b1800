import { expect } from 'chai';
import { fields, table } from '../../../src/cli/layout.ts';

describe('the layout of answers for people', () => {
  it('puts names and values side by side, dates as ISO 8601 in UTC, lists line by line, and leaves out what is not set', () => {
    const text = fields({
      client_id: 'one',
      created_at: 1_800_000_000,
      grant_types: ['a', 'b'],
      scope: '',
      contacts: [],
      gone_at: undefined,
      on: true,
      claims: { a: 1 },
    });
    expect(text.split('\n')).to.deep.equal([
      'client_id    one',
      'created_at   2027-01-15T08:00:00Z',
      'grant_types  a',
      '             b',
      'scope        -',
      'contacts     -',
      'on           true',
      'claims       {"a":1}',
    ]);
  });

  it('aligns names written in Hangul, which take two columns each', () => {
    expect(
      table(
        ['NAME', 'ID'],
        [
          ['김철수', '1'],
          ['Kim', undefined],
        ],
      ).split('\n'),
    ).to.deep.equal(['NAME    ID', '김철수  1', 'Kim     -']);
  });

  it('lets no registered name command the terminal', () => {
    const text = table(['NAME'], [['\u001b[2Jred\u009b31m\u202egnp\u2028x']]);
    expect(text).to.equal('NAME\n\\u{1b}[2Jred\\u{9b}31m\\u{202e}gnp\\u{2028}x');
  });
});
