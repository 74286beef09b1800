import { expect } from 'chai';
import type { ProtocolResponse } from '../../../src/core/endpoint.ts';
import { ADMISSION_LIMITS, type Admission, admission } from '../../../src/http/admission.ts';
import { mount, type RunningServer, startServer } from './running-server.ts';

const { longestLine, largestRush, mostInFlight, turnMilliseconds, calmMilliseconds } = ADMISSION_LIMITS;
const { few, longWaitMilliseconds, longestWaitMilliseconds, shortWaitMilliseconds } = ADMISSION_LIMITS;
const never = () => false;

/** A millisecond and more of what all others wait for. */
async function work(): Promise<ProtocolResponse> {
  const end = performance.now() + 1;
  let now = 0;
  while (now < end) {
    now = performance.now();
  }
  return { kind: 'json', status: 200, body: {} };
}

/** More than a rush, in turns that are each too long. */
function overloadBy(turn: (requests: number, millisecondsEach: number) => number): void {
  const beyond = largestRush / 4;
  for (let index = 0; index < 4; index++) {
    expect(turn(longestLine + beyond, 0.2)).to.equal(longestLine + beyond);
  }
  expect(turn(longestLine + 1, 0.2)).to.equal(longestLine);
}

/** A process whose time and event loop are the test's. */
function processAt() {
  let now = 0;
  let wait = 0;
  const turnEnds: (() => void)[] = [];
  const timers: (() => void)[] = [];
  const changes: { readonly overloaded: boolean; readonly refused: number }[] = [];
  const gate: Admission = admission({
    now: () => now,
    wait: () => wait,
    atEndOfTurn: (callback) => turnEnds.push(callback),
    later: (callback) => timers.push(callback),
    onChange: (change) => changes.push(change),
  });
  return {
    gate,
    changes,
    /** So many requests in one turn, each of which takes so long and is answered in it. @returns how many were served. */
    turn(requests: number, millisecondsEach: number): number {
      let served = 0;
      for (let index = 0; index < requests; index++) {
        if (gate.admit(never)) {
          served += 1;
          now += millisecondsEach;
          gate.done();
        }
      }
      turnEnds.splice(0).forEach((end) => end());
      return served;
    },
    /** From now on what is begun waits so long for other threads; and time goes on. */
    later(milliseconds: number, waiting: number): void {
      now += milliseconds;
      wait = waiting;
    },
    calm(): void {
      now += calmMilliseconds;
      timers.splice(0).forEach((timer) => timer());
    },
  };
}

describe('admission of requests', () => {
  it('refuses none of a line that a burst can be, however long it lasts', () => {
    const { turn, changes } = processAt();
    for (let index = 0; index < 1000; index++) {
      expect(turn(longestLine, 1)).to.equal(longestLine);
    }
    expect(changes).to.deep.equal([]);
  });

  it('refuses none of a rush that is over soon', () => {
    const { turn, changes } = processAt();
    const rush = longestLine + largestRush;
    expect(turn(rush, 0.2)).to.equal(rush);
    turn(longestLine, 0.2);
    expect(turn(rush - 20, 0.2)).to.equal(rush - 20);
    expect(turn(longestLine + 20, 0.2)).to.equal(longestLine + 20);
    expect(changes).to.deep.equal([]);
  });

  it('serves what a short turn has time for, and refuses the rest, when the line stays', () => {
    const { turn, changes } = processAt();
    overloadBy(turn);
    expect(changes).to.deep.equal([{ overloaded: true, refused: 0 }]);
    expect(turn(500, turnMilliseconds / 4)).to.equal(4);
    // However slow the machine is, work goes on.
    expect(turn(500, 80)).to.equal(1);
    expect(turn(3, turnMilliseconds / 4)).to.equal(3);
  });

  it('is over when nothing had to be refused for a while, and says how many were', () => {
    const { turn, calm, changes } = processAt();
    overloadBy(turn);
    turn(few + 10, turnMilliseconds);
    calm();
    expect(changes).to.have.length(1);
    turn(few + 10, turnMilliseconds);
    calm();
    expect(changes).to.have.length(1);
    // A few that came together are no line, though the last of them had to be refused.
    turn(few, turnMilliseconds);
    calm();
    expect(changes.at(-1)).to.deep.equal({ overloaded: false, refused: 2 * (few + 9) + few });
    expect(turn(longestLine + largestRush, 1)).to.equal(longestLine + largestRush);
  });

  it('begins nothing that would wait for other threads, where the line before those stays', () => {
    const { turn, later, changes } = processAt();
    for (let waited = 0; waited <= longestWaitMilliseconds; waited += 10) {
      later(10, longWaitMilliseconds);
      expect(turn(5, 0)).to.equal(5);
    }
    later(10, longWaitMilliseconds);
    expect(turn(5, 0)).to.equal(0);
    expect(changes).to.deep.equal([{ overloaded: true, refused: 0 }]);
    later(10, shortWaitMilliseconds);
    expect(turn(5, 0)).to.equal(0);
    later(10, shortWaitMilliseconds / 2);
    expect(turn(5, 0)).to.equal(5);
  });

  it('refuses none of a burst that other threads work off', () => {
    const { turn, later, changes } = processAt();
    for (let burst = 0; burst < 20; burst++) {
      later(longestWaitMilliseconds / 2, longWaitMilliseconds * 3);
      expect(turn(5, 0)).to.equal(5);
      later(longestWaitMilliseconds / 2, longWaitMilliseconds / 2);
      expect(turn(5, 0)).to.equal(5);
    }
    expect(changes).to.deep.equal([]);
  });

  it('has a most of requests in flight, also while they wait for something else', () => {
    const { gate, changes } = processAt();
    const admitted = Array.from({ length: mostInFlight + 5 }, () => gate.admit(never)).filter(Boolean);
    expect(admitted).to.have.length(mostInFlight);
    expect(gate.admit(() => true)).to.equal(true);
    expect(changes).to.deep.equal([{ overloaded: true, refused: 0 }]);
  });
});

describe('http: more than the server can do', () => {
  let server: RunningServer;
  before(async () => {
    server = await startServer({
      // Little enough that a test in the same process is more.
      admissionLimits: { ...ADMISSION_LIMITS, longestLine: 4, largestRush: 8 },
      mounted: [
        mount('/token', ['POST'], work, { crossOrigin: true }),
        mount('/authorize', ['GET'], work),
        mount('/jwks', ['GET'], async () => ({ kind: 'document', contentType: 'application/json', body: '{}', maxAgeSeconds: 1 }), {
          crossOrigin: true,
        }),
      ],
    });
  });
  after(() => server.http.close(1000));

  it('is refused at once with 503 and Retry-After, while health and keys answer; and then all is as before', async () => {
    // On connections that stay, so that a line can form before the server and not before the test.
    const form = async () => {
      const answer = await fetch(`${server.url}/token`, { method: 'POST', body: new URLSearchParams({ a: 'b' }) });
      return { status: answer.status, headers: answer.headers, text: await answer.text() };
    };
    await Promise.all(Array.from({ length: 60 }, async () => (await fetch(`${server.url}/jwks`)).text()));
    const seen = { ok: 0, refused: 0, other: 0 };
    const load = { isOver: false };
    const line = Array.from({ length: 60 }, async () => {
      while (!load.isOver) {
        const { status, headers, text } = await form();
        seen[status === 200 ? 'ok' : status === 503 ? 'refused' : 'other'] += 1;
        if (status === 503) {
          expect([headers.get('retry-after'), headers.get('content-type')]).to.deep.equal(['1', 'application/json']);
          expect(JSON.parse(text)).to.include({ error: 'temporarily_unavailable' });
        }
      }
    });
    await server.lineWith({ msg: 'overloaded: what cannot be served in time is refused' });
    for (let time = 0; time < 5; time++) {
      expect((await fetch(`${server.url}/health/live`)).status).to.equal(200);
      expect((await fetch(`${server.url}/jwks`)).status).to.equal(200);
    }
    const pages = await Promise.all(
      Array.from({ length: 20 }, () => fetch(`${server.url}/authorize`, { headers: { accept: 'text/html' } })),
    );
    const busy = pages.find(({ status }) => status === 503);
    expect(busy?.headers.get('content-type')).to.equal('text/html; charset=utf-8');
    expect(busy?.headers.get('retry-after')).to.equal('1');
    load.isOver = true;
    await Promise.all(line);
    expect(seen.other).to.equal(0);
    expect(Math.min(seen.ok, seen.refused)).to.be.above(0);

    const told = await server.lineWith({ msg: 'no longer overloaded' });
    expect(told['refused']).to.be.at.least(seen.refused);
    const after = await Promise.all(Array.from({ length: 8 }, form));
    expect(new Set(after.map(({ status }) => status))).to.deep.equal(new Set([200]));
  }).timeout(30_000);
});
