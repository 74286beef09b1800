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
  /** Whether one more, from that address, may listen. */
  hasRoom(remoteAddress: string): boolean;
  /**
   * Tells a listener of every change from now on, and of those since the event it had last. @returns to be called when it is gone.
   * @param lastEventId as it was sent; undefined: it listens for the first time.
   */
  open(sink: StreamSink, remoteAddress: string, lastEventId: string | undefined): () => void;
  publish(event: StatusEvent): void;
  /** To be called every 15 seconds or so: proxies cut connections on which nothing happens. */
  beat(): void;
}

/**
 * Events are named by the second in which this node learned of the change, so that a listener can go on at any node: it is told again of what
 * happened since then, with some time to spare for clocks that differ. To be told twice changes nothing, since what is invalid stays so.
 */
export function statusListeners({ clock, limits = LIMITS }: { readonly clock: Clock; readonly limits?: ListenerLimits }): StatusListeners {
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

  return {
    hasRoom: (address) => open.size < limits.listeners && (perAddress.get(address) ?? 0) < limits.listenersAnAddress,
    open(sink, address, lastEventId) {
      const now = clock.now();
      open.set(sink, address);
      perAddress.set(address, (perAddress.get(address) ?? 0) + 1);
      // How soon to come back; and a name from which to go on, though nothing has happened yet.
      sink.write(`retry: 1000\nid: ${now}\n\n`);
      if (lastEventId !== undefined) {
        const since = /^\d{1,12}$/.test(lastEventId) ? Number(lastEventId) - CLOCK_DIFFERENCE_SECONDS : 0;
        if (since < completeSince) {
          sink.write(`id: ${now}\nevent: reset\ndata: {}\n\n`);
        } else {
          sink.write(
            recent
              .filter(({ at }) => at >= since)
              .map((event) => event.text)
              .join(''),
          );
        }
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
      for (const sink of open.keys()) {
        // Moves the name on, and is no event (section 9.2.6: without data none is dispatched).
        sink.write(`: still here\nid: ${clock.now()}\n\n`);
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
