import { expect } from 'chai';
import { browserSessions } from '../../../src/interaction/browser-sessions.ts';
import type { Session, Sessions } from '../../../src/interaction/session.ts';
import { cookiesAfter, requestWith, testSecrets } from './browsers.ts';

const IDLE = 600;
const ABSOLUTE = 3600;

describe('browser sessions', () => {
  it('are found by the cookie that the login set, and by it alone', async () => {
    const { sessions, logIn, records } = setUp();
    const cookies = await logIn(1000);
    expect(await sessions.current(requestWith({ cookies }), 1000)).to.deep.include({ userId: 'user', authTime: 1000, methods: ['pwd'] });
    expect(await sessions.current(requestWith({}), 1000)).to.equal(undefined);
    const [id = ''] = records.keys();
    for (const keyturn_session of ['', id, `${cookies['keyturn_session']}A`]) {
      expect(await sessions.current(requestWith({ cookies: { keyturn_session } }), 1000)).to.equal(undefined);
    }
  });

  it('are new with each login, and the one before ends', async () => {
    const { sessions, records, logIn } = setUp();
    const first = await logIn(1000);
    const second = await logIn(1000, first);
    expect(second).not.to.deep.equal(first);
    expect(records.size).to.equal(1);
    expect(await sessions.current(requestWith({ cookies: first }), 1000)).to.equal(undefined);
  });

  it('write at most once a minute while they are used', async () => {
    const { sessions, writes, logIn } = setUp();
    const request = requestWith({ cookies: await logIn(1000) });
    await sessions.current(request, 1059);
    expect(writes).to.deep.equal(['create']);
    await sessions.current(request, 1060);
    await sessions.current(request, 1061);
    expect(writes).to.deep.equal(['create', 'touch']);
  });

  it('are never moved past their absolute end', async () => {
    const { sessions, records, logIn } = setUp();
    const request = requestWith({ cookies: await logIn(0) });
    for (let now = 0; now < ABSOLUTE; now += IDLE - 1) {
      expect(await sessions.current(request, now)).not.to.equal(undefined);
    }
    expect([...records.values()][0]?.idleExpiresAt).to.be.at.most(ABSOLUTE);
    expect(await sessions.current(request, ABSOLUTE)).to.equal(undefined);
  });

  it('end with the cookie deleted, also where there was none', async () => {
    const { sessions, records, ends, logIn } = setUp();
    const cookies = await logIn(1000);
    const deleted = [{ name: 'keyturn_session', value: '', maxAgeSeconds: 0 }];
    expect(await sessions.end(requestWith({ cookies }), 1000)).to.deep.equal(deleted);
    expect(records.size).to.equal(0);
    expect(ends).to.deep.equal(['end']);
    expect(await sessions.end(requestWith({}), 1000)).to.deep.equal(deleted);
    expect(ends).to.deep.equal(['end']);
  });

  it('get a new cookie when they are stepped up, good for as long as the old one was; the old one is worth nothing', async () => {
    const { sessions, logIn } = setUp();
    const cookies = await logIn(1000);
    const before = await sessions.current(requestWith({ cookies }), 1000);
    if (before === undefined) {
      throw new Error('not logged in');
    }
    const set = await sessions.stepUp(before, ['pwd', 'otp', 'mfa'], 1010);
    expect(set?.map(({ maxAgeSeconds }) => maxAgeSeconds)).to.deep.equal([ABSOLUTE - 10]);
    expect(await sessions.current(requestWith({ cookies }), 1010)).to.equal(undefined);
    const after = await sessions.current(requestWith({ cookies: cookiesAfter(set ?? []) }), 1010);
    expect(after).to.deep.include({ sid: before.sid, authTime: 1010, loginTime: 1000, methods: ['pwd', 'otp', 'mfa'] });
    expect(await sessions.stepUp(before, ['pwd', 'otp', 'mfa'], 1010)).to.equal(undefined);
  });

  it('keep nothing in their record that could be used as a cookie', async () => {
    const { records, logIn } = setUp();
    const { keyturn_session: cookie = '' } = await logIn(1000);
    expect(JSON.stringify([...records.values()])).not.to.include(cookie.slice(-20));
  });
});

function setUp() {
  const records = new Map<string, Session>();
  const writes: string[] = [];
  const ends: string[] = [];
  const store: Sessions = {
    async create(session, replaces) {
      const sid = records.get(replaces ?? '')?.sid ?? session.id;
      records.delete(replaces ?? '');
      records.set(session.id, { ...session, loginTime: session.authTime, sid });
      writes.push('create');
    },
    async findLive(id, now) {
      const session = records.get(id);
      return session !== undefined && session.idleExpiresAt > now && session.expiresAt > now ? session : undefined;
    },
    async hasLive(sid, now) {
      return [...records.values()].some((session) => session.sid === sid && session.idleExpiresAt > now && session.expiresAt > now);
    },
    async stepUp(id, to) {
      const session = records.get(id);
      records.delete(id);
      if (session !== undefined) {
        records.set(to.id, { ...session, ...to });
      }
      writes.push('stepUp');
      return session !== undefined;
    },
    async touch(id, idleExpiresAt) {
      const session = records.get(id);
      if (session !== undefined) {
        records.set(id, { ...session, idleExpiresAt });
      }
      writes.push('touch');
    },
    async end(id) {
      records.delete(id);
      writes.push('end');
    },
  };
  const sessions = browserSessions({
    sessions: store,
    secrets: testSecrets(),
    idleSeconds: IDLE,
    absoluteSeconds: ABSOLUTE,
    onEnd: () => void ends.push('end'),
  });
  const logIn = async (now: number, cookies: Readonly<Record<string, string>> = {}) =>
    cookiesAfter(await sessions.begin(requestWith({ cookies }), 'user', ['pwd'], now));
  return { sessions, records, writes, ends, logIn };
}
