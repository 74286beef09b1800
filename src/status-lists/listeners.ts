import type { Clock, EpochSeconds } from '../core/clock.ts';
import type { StreamSink } from '../core/endpoint.ts';

/** Something to tell to whoever listens for changes. */
export interface StatusEvent {
  /** Addresses of the lists that changed: the same list for each key. */
  readonly status_lists: readonly string[];
  /** The indices in them that became invalid; absent: fetch the lists. */
  readonly idx?: readonly number[];
}

/** Resource servers that listen for revocations: `text/event-stream` (WHATWG HTML section 9.2). */
export interface StatusListeners {
  /** Whether one more, from that address, may listen. @param caller an address, or the network it stands for. */
  hasRoom(caller: string): boolean;
  /** Whether this node can tell of changes at all: while it cannot see those of other nodes, its silence must not be taken for good news. */
  isCurrent(): boolean;
  /**
   * Tells a listener of every change from now on, and of those since the event it had last. @returns to be called when it is gone.
   * @param lastEventId as it was sent; undefined: it listens for the first time.
   */
  open(sink: StreamSink, caller: string, lastEventId: string | undefined): () => void;
  publish(event: StatusEvent): void;
  /** To be called every 15 seconds or so: proxies cut connections on which nothing happens. Says nothing while this node is not current. */
  beat(): void;
}

/**
 * Events are named by the second in which this node learned of the change, so that a listener can go on at any node: it is told again of what
 * happened since then, with some time to spare for clocks that differ. To be told twice changes nothing, since what is invalid stays so.
 */
export function statusListeners(rooms: {
  readonly clock: Clock;
  /** Until when this node knows of every change. */
  readonly knownAt?: () => EpochSeconds;
  readonly limits?: ListenerLimits;
}): StatusListeners {
  const { clock, knownAt = clock.now, limits = LIMITS } = rooms;
  const open = new Map<StreamSink, string>();
  const perAddress = new Map<string, number>();
  let recent: { readonly at: EpochSeconds; readonly text: string }[] = [];
  // What happened before this, this node may not know.
  let completeSince = clock.now();

  function text(event: StatusEvent, at: EpochSeconds): string {
    const { idx } = event;
    const isLong = idx !== undefined && idx.length > limits.indicesAnEvent;
    return `id: ${at}\nevent: change\ndata: ${JSON.stringify(isLong ? { status_lists: event.status_lists } : event)}\n\n`;
  }

  function forgetOld(now: EpochSeconds): void {
    const keep = recent.length > limits.recentEvents ? recent.length - limits.recentEvents : 0;
    const from = Math.max(
      keep,
      recent.findIndex(({ at }) => at >= now - limits.recentSeconds),
    );
    if (from > 0) {
      completeSince = Math.max(completeSince, (recent[from - 1]?.at ?? now) + 1);
      recent = recent.slice(from);
    }
  }

  function isCurrent(): boolean {
    return clock.now() - knownAt() <= LONGEST_LAG_SECONDS;
  }

  function missedSince(since: EpochSeconds): string | undefined {
    const missed = since < completeSince ? undefined : recent.filter(({ at }) => at >= since).map((event) => event.text);
    const replay = missed?.join('');
    return replay !== undefined && replay.length <= LONGEST_REPLAY ? replay : undefined;
  }

  return {
    isCurrent,
    hasRoom: (address) => open.size < limits.listeners && (perAddress.get(address) ?? 0) < limits.listenersAnAddress,
    open(sink, address, lastEventId) {
      const now = knownAt();
      open.set(sink, address);
      perAddress.set(address, (perAddress.get(address) ?? 0) + 1);
      // How soon to come back; and a name from which to go on, though nothing has happened yet.
      sink.write(`retry: 1000\nid: ${now}\n\n`);
      if (lastEventId !== undefined) {
        const since = /^\d{1,12}$/.test(lastEventId) ? Number(lastEventId) - CLOCK_DIFFERENCE_SECONDS : 0;
        sink.write(missedSince(since) ?? `id: ${now}\nevent: reset\ndata: {}\n\n`);
      }
      return () => {
        if (open.delete(sink)) {
          const left = (perAddress.get(address) ?? 1) - 1;
          if (left === 0) {
            perAddress.delete(address);
          } else {
            perAddress.set(address, left);
          }
        }
      };
    },
    publish(event) {
      const at = clock.now();
      const written = text(event, at);
      recent.push({ at, text: written });
      forgetOld(at);
      for (const sink of open.keys()) {
        sink.write(written);
      }
    },
    beat() {
      if (!isCurrent()) {
        return;
      }
      for (const sink of open.keys()) {
        // Moves the name on, and is no event (section 9.2.6: without data none is dispatched).
        sink.write(`: still here\nid: ${knownAt()}\n\n`);
      }
    },
  };
}

/** How much of this server listeners may take up. */
export interface ListenerLimits {
  readonly listeners: number;
  readonly listenersAnAddress: number;
  /** Of a change with more than these, it is said that there was one, and not what. */
  readonly indicesAnEvent: number;
  readonly recentEvents: number;
  readonly recentSeconds: number;
}

const LIMITS: ListenerLimits = { listeners: 1000, listenersAnAddress: 50, indicesAnEvent: 1000, recentEvents: 1000, recentSeconds: 600 };

// Between the clocks of the nodes, with the time that a node takes to notice what another did.
const CLOCK_DIFFERENCE_SECONDS = 30;

// Well below what may be missed without harm (`CLOCK_DIFFERENCE_SECONDS`).
const LONGEST_LAG_SECONDS = 10;

// Half of what may wait for a reader (http/event-streams.ts): who is told more at once would be cut off for it, again and again.
const LONGEST_REPLAY = 32 * 1024;
