import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** An answer, as far as a load generator looks at it. */
export interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/**
 * One kept-alive connection that sends a request at a time. Written on the socket itself, because the generator shares the machine with what it
 * measures: a third of the CPU that Node's own client takes. It knows answers with a Content-Length and no others.
 */
export async function openConnection(port: number): Promise<{ send(request: string): Promise<Answer>; close(): void }> {
  const socket: Socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  socket.setEncoding('latin1');
  let received = '';
  let pending: { resolve(answer: Answer): void; reject(error: Error): void } | undefined;

  socket.on('data', (chunk: string) => {
    received += chunk;
    const answer = answerIn(received);
    if (answer !== undefined) {
      received = '';
      pending?.resolve(answer);
    }
  });
  socket.on('close', () => pending?.reject(new Error('the server closed the connection')));
  socket.on('error', (error) => pending?.reject(error));
  await once(socket, 'connect');
  return {
    send: (request) =>
      new Promise((resolve, reject) => {
        pending = { resolve, reject };
        socket.write(request, 'latin1');
      }),
    close: () => {
      pending = undefined;
      socket.destroy();
    },
  };
}

/** undefined: it is not all there yet. */
function answerIn(received: string): Answer | undefined {
  const end = received.indexOf('\r\n\r\n');
  if (end === -1) {
    return undefined;
  }
  const head = received.slice(0, end);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined && !head.startsWith('HTTP/1.1 204')) {
    throw new Error(`an answer without Content-Length: ${head}`);
  }
  const body = received.slice(end + 4);
  return body.length < Number(length ?? 0) ? undefined : { status: Number(head.slice(9, 12)), head, body };
}
