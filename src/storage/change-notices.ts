import type pg from 'pg';

/** Hears of changes that any node made, as they are committed. A help and not a promise: whoever relies on a change looks for it by itself too. */
export interface ChangeNotices {
  stop(): Promise<void>;
}

export interface ChangeNoticeOptions {
  /** Of the server itself: a pooler that hands out connections by the transaction delivers none. */
  readonly url: string;
  /** Called soon after a change, once for all that came at about the same time; and when the connection is there again. */
  readonly onChange: () => void;
  /** Told when notices stop coming, with the reason, and when they come again. */
  readonly onState: (problem: unknown) => void;
}

/** The channel that the triggers of migration 0009 tell of changes on. */
export const CHANNEL = 'keyturn_changes';

// Several changes of one transaction, or of a busy moment, are looked at once.
const GATHER_MILLISECONDS = 10;
const RETRY_MILLISECONDS = { least: 500, most: 15_000 };

/** PostgreSQL LISTEN on a connection of its own, made again whenever it breaks. */
export function listenForChanges({ url, onChange, onState }: ChangeNoticeOptions): ChangeNotices {
  let client: pg.Client | undefined;
  let retry: NodeJS.Timeout | undefined;
  let gathering: NodeJS.Timeout | undefined;
  let wait = RETRY_MILLISECONDS.least;
  let isStopped = false;
  let isTroubled = false;

  function changed(): void {
    gathering ??= setTimeout(() => {
      gathering = undefined;
      onChange();
    }, GATHER_MILLISECONDS);
  }

  async function connect(): Promise<void> {
    // Not at the top: a server on SQLite imports this file too, and needs no driver of PostgreSQL.
    const { default: driver } = await import('pg');
    if (isStopped) {
      return;
    }
    const own = new driver.Client({
      connectionString: url,
      application_name: 'keyturn listener',
      connectionTimeoutMillis: 3000,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    });
    client = own;
    own.on('notification', changed);
    // One of these for each connection that breaks, however many errors it has.
    own.once('error', (error) => lost(own, error));
    own.once('end', () => lost(own, new Error('the connection ended')));
    try {
      await own.connect();
      await own.query(`LISTEN ${CHANNEL}`);
    } catch (error) {
      lost(own, error);
      return;
    }
    if (client === own && !isStopped) {
      wait = RETRY_MILLISECONDS.least;
      if (isTroubled) {
        isTroubled = false;
        onState(undefined);
      }
      // What was committed before it listened.
      changed();
    }
  }

  function lost(which: pg.Client, reason: unknown): void {
    if (client !== which || isStopped) {
      return;
    }
    client = undefined;
    which.on('error', () => undefined);
    which.end().catch(() => undefined);
    if (!isTroubled) {
      isTroubled = true;
      onState(reason);
    }
    retry = setTimeout(() => void connect(), wait);
    wait = Math.min(wait * 2, RETRY_MILLISECONDS.most);
  }

  void connect();
  return {
    async stop() {
      isStopped = true;
      clearTimeout(retry);
      clearTimeout(gathering);
      const last = client;
      client = undefined;
      last?.on('error', () => undefined);
      await last?.end().catch(() => undefined);
    },
  };
}
