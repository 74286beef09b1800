/** What the process can bear. */
export interface AdmissionLimits {
  /** Requests begun and not answered; beyond, all are refused at once, whatever they wait for. */
  readonly mostInFlight: number;
  /** Requests that come in one turn of the event loop: up to so many is a burst, and no overload however long it lasts. */
  readonly longestLine: number;
  /** Requests beyond that line, turn after turn, that are a rush and served all the same; more are overload. */
  readonly largestRush: number;
  /** In overload, new requests are begun for so long in a turn, and refused for the rest of it. */
  readonly turnMilliseconds: number;
  /** Where whatever is begun now waits that long for other threads, and has for `longestWaitMilliseconds`, that is overload as well. */
  readonly longWaitMilliseconds: number;
  readonly longestWaitMilliseconds: number;
  /** In overload nothing is begun that would wait longer than this. */
  readonly shortWaitMilliseconds: number;
  /** Where nothing was refused for this long but the rest of a turn with a few requests, the overload is over. */
  readonly calmMilliseconds: number;
  /** So many in one turn are no line: they came together. */
  readonly few: number;
}

export const ADMISSION_LIMITS: AdmissionLimits = {
  mostInFlight: 2000,
  longestLine: 128,
  largestRush: 512,
  turnMilliseconds: 1,
  longWaitMilliseconds: 25,
  longestWaitMilliseconds: 300,
  shortWaitMilliseconds: 2,
  calmMilliseconds: 1000,
  few: 16,
};

/**
 * Decides, before anything is done for a request, whether it can be served in time. A process that is asked for more than it can do has a
 * line before it that only grows, and then serves nobody in time. The line cannot be seen (it is in the kernel), but what comes out of it in
 * one turn of the event loop can: more than a rush, turn after turn, is overload (a standing queue, RFC 8289 section 3). From then on a turn
 * begins only what it has time for, so that those that are served wait for short turns, and the rest knows at once. The line can as well be behind
 * the event loop, before the threads that make long signatures; how long it is they say themselves.
 */
export interface Admission {
  /** Whether the request that has just come is to be served; then call `done` when it is. */
  admit(isExempt: () => boolean): boolean;
  done(): void;
}

/** The process around it: tests bring their own. */
export interface AdmissionRooms {
  readonly limits?: AdmissionLimits;
  /** In milliseconds. */
  readonly now?: () => number;
  /** Milliseconds that what is begun now will wait for other threads. */
  readonly wait?: () => number;
  /** Calls back at the end of this turn of the event loop. */
  readonly atEndOfTurn?: (callback: () => void) => void;
  /** Calls back after a time, unless the process ends first. */
  readonly later?: (callback: () => void, milliseconds: number) => void;
  /** Is told when an overload begins and, with how many were refused, when it is over. */
  readonly onChange: (change: { readonly overloaded: boolean; readonly refused: number }) => void;
}

export function admission(rooms: AdmissionRooms): Admission {
  const {
    limits = ADMISSION_LIMITS,
    now = () => performance.now(),
    wait = () => 0,
    atEndOfTurn = setImmediate,
    later = unreferencedTimer,
    onChange,
  } = rooms;
  let inFlight = 0;
  let turnBegan = 0;
  let cameInTurn = 0;
  let rush = 0;
  let waitsLongSince: number | undefined;
  let isOverloaded = false;
  let refused = 0;
  let hasLine = false;

  function endTurn(): void {
    if (cameInTurn <= limits.longestLine) {
      rush = 0;
    }
    cameInTurn = 0;
  }

  function begin(): void {
    if (!isOverloaded) {
      isOverloaded = true;
      refused = 0;
      hasLine = true;
      onChange({ overloaded: true, refused });
      later(look, limits.calmMilliseconds);
    }
  }

  function look(): void {
    if (hasLine) {
      hasLine = false;
      later(look, limits.calmMilliseconds);
    } else {
      isOverloaded = false;
      rush = 0;
      onChange({ overloaded: false, refused });
    }
  }

  /** The first of a turn has time, so that work goes on however slow the machine is. */
  function hasTime(): boolean {
    return (cameInTurn === 1 || now() - turnBegan < limits.turnMilliseconds) && wait() < limits.shortWaitMilliseconds;
  }

  /** A burst is worked off; a line that stays is not. */
  function lookAtWait(): void {
    if (wait() < limits.longWaitMilliseconds) {
      waitsLongSince = undefined;
      return;
    }
    waitsLongSince ??= turnBegan;
    if (turnBegan - waitsLongSince > limits.longestWaitMilliseconds) {
      begin();
    }
  }

  return {
    admit(isExempt) {
      cameInTurn += 1;
      if (cameInTurn === 1) {
        turnBegan = now();
        atEndOfTurn(endTurn);
        lookAtWait();
      }
      if (cameInTurn > limits.longestLine && ++rush > limits.largestRush) {
        begin();
      }
      const isFull = inFlight >= limits.mostInFlight;
      if ((isFull || (isOverloaded && !hasTime())) && !isExempt()) {
        if (isFull) {
          begin();
        }
        refused += 1;
        hasLine ||= isFull || cameInTurn > limits.few || wait() >= limits.shortWaitMilliseconds;
        return false;
      }
      inFlight += 1;
      return true;
    },
    done() {
      inFlight -= 1;
    },
  };
}

function unreferencedTimer(callback: () => void, milliseconds: number): void {
  setTimeout(callback, milliseconds).unref();
}
