import type { Client } from '../clients/client.ts';
import type { Subjects } from '../tokens/subjects.ts';
import type { EventStreams } from './event-stream.ts';
import type { SecurityEvent } from './security-event.ts';

/**
 * Which of the events are about a user whom the receiver has taken off the stream (SSF 1.0 section 8.1.3.3). Asked when they are told, and not
 * when they happen: what the receiver calls its users (`sub`) is known only then.
 */
export async function aboutRemoved(
  rooms: { readonly eventStreams: Pick<EventStreams, 'removedAmong'>; readonly subjects: Pick<Subjects, 'of'> },
  { streamId, client }: { readonly streamId: string; readonly client: Client },
  events: readonly SecurityEvent[],
): Promise<ReadonlySet<string>> {
  const named = events.flatMap(({ id, subject }) =>
    subject.kind === 'stream' ? [] : [[id, rooms.subjects.of(client, subject.userId)] as const],
  );
  if (named.length === 0) {
    return new Set();
  }
  const removed = await rooms.eventStreams.removedAmong(streamId, [...new Set(named.map(([, sub]) => sub))]);
  return new Set(named.filter(([, sub]) => removed.has(sub)).map(([id]) => id));
}
