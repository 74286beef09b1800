import { connect, type Socket } from 'node:net';

/**
 * One open-loop load, bounded in time, by a process of its own: requests are sent when they are due, whatever came of those before, and a
 * latency counts from when a request was due. Given as JSON on standard input; the result comes as JSON on standard output.
 */
export interface OpenLoadJob {
  /** On 127.0.0.1. */
  readonly url: string;
  readonly authorization: string;
  readonly perSecond: number;
  /** At most 20. */
  readonly seconds: number;
  /** Answers to what was due before are not counted among the latencies. */
  readonly skipSeconds?: number;
  /** Connections; what is due while all of them wait is late, and counted as such. */
  readonly connections: number;
  /** Asked for ten times a second beside, where given. */
  readonly probes?: readonly string[];
}

export interface OpenLoadResult {
  readonly sent: number;
  readonly ok: Latencies;
  readonly early: Latencies;
  /** 503 with Retry-After. */
  readonly refused: Latencies;
  /** Everything else. */
  readonly failed: number;
  /** What still waited for a connection at the end. */
  readonly unsent: number;
  readonly probes: Latencies;
  readonly probesFailed: number;
}

export interface Latencies {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
}

const chunks: Buffer[] = [];
for await (const chunk of process.stdin) {
  chunks.push(chunk as Buffer);
}
const job = JSON.parse(Buffer.concat(chunks).toString()) as OpenLoadJob;
process.stdout.write(JSON.stringify(await run(job)));

async function run({
  url,
  authorization,
  perSecond,
  seconds,
  connections,
  skipSeconds = 0,
  probes = [],
}: OpenLoadJob): Promise<OpenLoadResult> {
  const { hostname, port, pathname } = new URL(url);
  if (hostname !== '127.0.0.1' && hostname !== 'localhost') {
    throw new Error('loads are for this machine only');
  }
  const form = 'grant_type=client_credentials';
  const post = `POST ${pathname} HTTP/1.1\r\nhost: localhost\r\nauthorization: ${authorization}\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: ${form.length}\r\n\r\n${form}`;
  const tokens = connectionPool(Number(port), connections);
  const beside = connectionPool(Number(port), 4);
  const latencies: Record<'ok' | 'early' | 'refused' | 'probe', number[]> = { ok: [], early: [], refused: [], probe: [] };
  let sent = 0;
  let probesSent = 0;
  let failed = 0;
  let probesFailed = 0;
  const startedAt = performance.now();
  const length = Math.min(seconds, 20) * 1000;

  for (;;) {
    const elapsed = performance.now() - startedAt;
    if (elapsed >= length) {
      break;
    }
    for (; sent < (elapsed / 1000) * perSecond; sent++) {
      const due = startedAt + (sent * 1000) / perSecond;
      tokens.send(post, (head) => {
        const took = performance.now() - due;
        if (head.startsWith('HTTP/1.1 200')) {
          latencies[due - startedAt < skipSeconds * 1000 ? 'early' : 'ok'].push(took);
        } else if (head.startsWith('HTTP/1.1 503') && head.includes('retry-after: ')) {
          latencies.refused.push(took);
        } else {
          failed += 1;
        }
      });
    }
    for (; probes.length > 0 && probesSent < elapsed / 100; probesSent++) {
      const before = performance.now();
      beside.send(`GET ${probes[probesSent % probes.length]} HTTP/1.1\r\nhost: localhost\r\n\r\n`, (head) => {
        latencies.probe.push(performance.now() - before);
        probesFailed += head.startsWith('HTTP/1.1 200') ? 0 : 1;
      });
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const [unsent] = await Promise.all([tokens.end(), beside.end()]);
  return {
    sent,
    ok: summary(latencies.ok),
    early: summary(latencies.early),
    refused: summary(latencies.refused),
    failed,
    unsent,
    probes: summary(latencies.probe),
    probesFailed,
  };
}

function summary(latencies: number[]): Latencies {
  latencies.sort((one, other) => one - other);
  const at = (share: number): number => Math.round((latencies[Math.floor(latencies.length * share)] ?? 0) * 100) / 100;
  return { count: latencies.length, p50: at(0.5), p99: at(0.99) };
}

/** Bare sockets: a client that costs little beside the server on the same cores. One request at a time on each; the rest waits. */
function connectionPool(port: number, most: number) {
  const idle: Socket[] = [];
  const waiting: { readonly text: string; readonly onAnswer: (head: string) => void }[] = [];
  const answers = new WeakMap<Socket, (head: string) => void>();
  const all: Socket[] = [];
  let busy = 0;
  let onQuiet: (() => void) | undefined;

  function open(): Socket {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let received = '';
    all.push(socket);
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      received += text;
      const end = received.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/.exec(received)?.[1] ?? Number.NaN);
      if (end !== -1 && received.length >= end + 4 + length) {
        const head = received.slice(0, end);
        received = '';
        finish(socket, head);
      }
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      all.splice(all.indexOf(socket), 1);
      idle.splice(idle.indexOf(socket) >>> 0, 1);
      finish(socket, '');
    });
    return socket;
  }

  function finish(socket: Socket, head: string): void {
    const onAnswer = answers.get(socket);
    if (onAnswer === undefined) {
      return;
    }
    answers.delete(socket);
    busy -= 1;
    onAnswer(head);
    const next = waiting.shift();
    if (next !== undefined) {
      begin(socket.destroyed ? open() : socket, next.text, next.onAnswer);
    } else if (!socket.destroyed) {
      idle.push(socket);
    }
    if (busy === 0) {
      onQuiet?.();
    }
  }

  function begin(socket: Socket, text: string, onAnswer: (head: string) => void): void {
    busy += 1;
    answers.set(socket, onAnswer);
    socket.write(text);
  }

  return {
    send(text: string, onAnswer: (head: string) => void): void {
      const socket = idle.pop() ?? (all.length < most ? open() : undefined);
      if (socket === undefined) {
        waiting.push({ text, onAnswer });
      } else {
        begin(socket, text, onAnswer);
      }
    },
    /** Waits for what is out; what has no answer after 5 s counts as failed. @returns how many were never sent. */
    async end(): Promise<number> {
      const unsent = waiting.splice(0).length;
      const deadline = setTimeout(() => all.slice().forEach((socket) => socket.destroy()), 5000);
      if (busy > 0) {
        await new Promise<void>((resolve) => {
          onQuiet = resolve;
        });
      }
      clearTimeout(deadline);
      all.slice().forEach((socket) => socket.destroy());
      return unsent;
    },
  };
}
