import { expect } from 'chai';
import { type StatusListeners, statusListeners } from '../../../src/status-lists/listeners.ts';

const LIMITS = { listeners: 3, listenersAnAddress: 2, indicesAnEvent: 2, recentEvents: 3, recentSeconds: 100 };
const LISTS = ['https://as.example/status-lists/AAAAAAAA/0'];

describe('status lists: listeners', () => {
  let now: number;
  let listeners: StatusListeners;

  beforeEach(() => {
    now = 10_000;
    listeners = statusListeners({ clock: { now: () => now }, limits: LIMITS });
  });

  function open(lastEventId?: string, address = '192.0.2.1'): { readonly heard: () => string; readonly close: () => void } {
    let text = '';
    const close = listeners.open({ write: (part) => void (text += part) }, address, lastEventId);
    return { heard: () => text, close };
  }

  it('are told of changes, by a name that tells when', () => {
    const listener = open();
    listeners.publish({ status_lists: LISTS, idx: [5] });
    expect(listener.heard()).to.equal(
      `retry: 1000\nid: 10000\n\nid: 10000\nevent: change\ndata: {"status_lists":["${LISTS[0]}"],"idx":[5]}\n\n`,
    );
  });

  it('are not told the indices of a large change', () => {
    const listener = open();
    listeners.publish({ status_lists: LISTS, idx: [5, 6, 7] });
    expect(listener.heard()).to.include(`data: {"status_lists":["${LISTS[0]}"]}\n`);
  });

  it('hear again what was told since the name they had last, with half a minute to spare', () => {
    for (const index of [1, 2, 3]) {
      now += 25;
      listeners.publish({ status_lists: LISTS, idx: [index] });
    }
    const heard = open(String(now)).heard();
    expect([1, 2, 3].map((index) => heard.includes(`"idx":[${index}]`))).to.deep.equal([false, true, true]);
    expect(heard).not.to.include('reset');
  });

  it('are told to begin anew when something may have been forgotten, or was never known here', () => {
    expect(open(String(now + 29)).heard()).to.include('event: reset');
    expect(open(String(now + 30)).heard()).not.to.include('event: reset');
    for (let index = 0; index < 4; index++) {
      now += 10;
      listeners.publish({ status_lists: LISTS, idx: [index] });
    }
    // Of four events three are kept: the first, at 10010, is forgotten.
    expect(open(String(10_011 + 29)).heard()).to.include('event: reset');
    expect(open(String(10_011 + 30)).heard()).not.to.include('event: reset');
    now += 200;
    listeners.publish({ status_lists: LISTS, idx: [9] });
    expect(open(String(10_041 + 29)).heard()).to.include('event: reset');
    expect(open(String(10_041 + 30)).heard()).not.to.include('event: reset');
  });

  it('hear a heartbeat, which moves their name on', () => {
    const listener = open();
    now += 15;
    listeners.beat();
    expect(listener.heard()).to.match(/: still here\nid: 10015\n\n$/);
  });

  it('hear nothing while this node is cut off from the records, and are not let in: its silence is no good news', () => {
    let knownAt = now;
    listeners = statusListeners({ clock: { now: () => now }, knownAt: () => knownAt, limits: LIMITS });
    const listener = open();
    const before = listener.heard();
    now += 11;
    listeners.beat();
    expect(listener.heard()).to.equal(before);
    expect(listeners.isCurrent()).to.equal(false);
    // The name that a listener goes on with at another node must not be of a time that this one knows nothing of.
    expect(open().heard()).to.equal('retry: 1000\nid: 10000\n\n');
    knownAt = now;
    listeners.beat();
    expect(listeners.isCurrent()).to.equal(true);
    expect(listener.heard()).to.equal(`${before}: still here\nid: 10011\n\n`);
  });

  it('are told to begin anew when they missed more than a connection may be given at once', () => {
    const roomy = { ...LIMITS, indicesAnEvent: 1000, recentEvents: 1000 };
    listeners = statusListeners({ clock: { now: () => now }, limits: roomy });
    now += 40;
    const idx = Array.from({ length: 1000 }, (_, at) => 1_000_000 + at);
    for (let count = 0; count < 5; count++) {
      listeners.publish({ status_lists: LISTS, idx });
    }
    const { length } = open(String(now)).heard();
    expect(length)
      .to.be.below(64 * 1024)
      .and.to.equal(`retry: 1000\nid: ${now}\n\nid: ${now}\nevent: reset\ndata: {}\n\n`.length);
  });

  it('are few in all, and fewer from one address; who goes makes room', () => {
    const one = open();
    open();
    expect([listeners.hasRoom('192.0.2.1'), listeners.hasRoom('192.0.2.2')]).to.deep.equal([false, true]);
    const other = open(undefined, '192.0.2.2');
    expect(listeners.hasRoom('192.0.2.3')).to.equal(false);
    other.close();
    other.close();
    expect(listeners.hasRoom('192.0.2.3')).to.equal(true);
    one.close();
    expect(listeners.hasRoom('192.0.2.1')).to.equal(true);
  });

  it('who went are told nothing', () => {
    const listener = open();
    listener.close();
    const before = listener.heard();
    listeners.publish({ status_lists: LISTS });
    listeners.beat();
    expect(listener.heard()).to.equal(before);
  });
});
