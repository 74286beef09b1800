import type { Command } from 'commander';
import { POLL_METHOD, PUSH_METHOD } from '../signals/stream-document.ts';
import { streamUpdatedEvent } from '../signals/stream-events.ts';
import { type Answer, type AnswerOptions, answer, verb } from './answer.ts';
import type { CommandLine } from './command-line.ts';
import { Refused } from './failures.ts';
import { dateText, table } from './layout.ts';
import { withExistingRepositories } from './open-database.ts';

/** `keyturn stream …`: looks at the streams of security events, and stops and starts them. Receivers make them and delete them. */
export function streamCommands(program: Command, cli: CommandLine): void {
  const stream = program.command('stream').description('look at the streams of security events (Shared Signals), stop and start them');

  verb(stream, 'list', 'list the streams, oldest first').action(async (options: AnswerOptions) => answer(cli, options, await list(cli)));

  for (const { name, status, text } of VERBS) {
    verb(stream, `${name} <stream>`, text)
      .option('--reason <text>', 'what the receiver is told')
      .action(async (id: string, options: ReasonOptions) => answer(cli, options, await setStatus(cli, id, status, options.reason)));
  }
}

type ReasonOptions = AnswerOptions & { readonly reason?: string };

const VERBS = [
  { name: 'enable', status: 'enabled', text: 'send events again, those that waited first; the receiver is told' },
  { name: 'pause', status: 'paused', text: 'keep the events of a stream for later; the receiver is told' },
  { name: 'disable', status: 'disabled', text: 'drop the events of a stream, those that wait among them; the receiver is told' },
] as const;

function list(cli: CommandLine): Promise<Answer> {
  return withExistingRepositories(cli, async ({ eventStreams }) => {
    const streams = await eventStreams.listAll();
    const document = streams.map(({ id, clientId, delivery, status, statusReason, description, createdAt }) => ({
      stream_id: id,
      client_id: clientId,
      method: delivery.method === 'push' ? PUSH_METHOD : POLL_METHOD,
      ...(delivery.method === 'push' ? { endpoint_url: delivery.endpointUrl } : {}),
      status,
      ...(statusReason === undefined ? {} : { reason: statusReason }),
      ...(description === undefined ? {} : { description }),
      created_at: createdAt,
    }));
    const rows = streams.map(({ id, clientId, delivery, status, createdAt }) => [
      id,
      clientId,
      delivery.method === 'push' ? delivery.endpointUrl : '(polled)',
      status,
      dateText(createdAt),
    ]);
    return { document, text: rows.length === 0 ? 'No streams.' : table(['STREAM', 'CLIENT', 'PUSHED TO', 'STATUS', 'CREATED'], rows) };
  });
}

function setStatus(cli: CommandLine, id: string, status: (typeof VERBS)[number]['status'], reason: string | undefined): Promise<Answer> {
  return withExistingRepositories(cli, async ({ eventStreams }) => {
    const stream = (await eventStreams.listAll()).find((one) => one.id === id);
    const told = stream && streamUpdatedEvent(stream, status, reason, cli.clock.now());
    if (stream === undefined || !(await eventStreams.setStatus(stream, { status, reason }, told))) {
      throw new Refused(`there is no stream ${JSON.stringify(id)}.`);
    }
    return { document: { stream_id: id, status, ...(reason === undefined ? {} : { reason }) }, text: `The stream ${id} is ${status}.` };
  });
}
