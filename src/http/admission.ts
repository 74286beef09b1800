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
  /** Without a refusal for this long the overload is over. */
  readonly calmMilliseconds: number;
}

export const ADMISSION_LIMITS: AdmissionLimits = {
  mostInFlight: 2000,
  longestLine: 128,
  largestRush: 512,
  turnMilliseconds: 1,
  calmMilliseconds: 1000,
};

/**
 * Decides, before anything is done for a request, whether it can be served in time. A process that is asked for more than it can do has a
 * line before it that only grows, and then serves nobody in time. The line cannot be seen (it is in the kernel), but what comes out of it in
 * one turn of the event loop can: more than a rush, turn after turn, is overload (a standing queue, RFC 8289 section 3). From then on a turn
 * begins only what it has time for, so that those that are served wait for short turns, and the rest knows at once.
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
    atEndOfTurn = setImmediate,
    later = unreferencedTimer,
    onChange,
  } = rooms;
  let inFlight = 0;
  let turnBegan = 0;
  let cameInTurn = 0;
  let rush = 0;
  let isOverloaded = false;
  let refused = 0;
  let refusedAtLook = 0;

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
      refusedAtLook = 0;
      onChange({ overloaded: true, refused });
      later(look, limits.calmMilliseconds);
    }
  }

  function look(): void {
    if (refused > refusedAtLook) {
      refusedAtLook = refused;
      later(look, limits.calmMilliseconds);
    } else {
      isOverloaded = false;
      rush = 0;
      onChange({ overloaded: false, refused });
    }
  }

  /** The first of a turn is always begun, so that work goes on however slow the machine is. */
  function hasTime(): boolean {
    return cameInTurn === 1 || now() - turnBegan < limits.turnMilliseconds;
  }

  return {
    admit(isExempt) {
      cameInTurn += 1;
      if (cameInTurn === 1) {
        turnBegan = now();
        atEndOfTurn(endTurn);
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
