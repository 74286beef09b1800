import { AccessDenied } from './access-denied.ts';
import type { ResourceServer } from './resource-server.ts';

/** What an adapter writes: the same in all frameworks. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const JSON_TYPE = 'application/json';

/** The answer to a request that is not let in. @throws `failure` itself when it is no AccessDenied: a bug, for the framework to deal with. */
export function denialAnswer(failure: unknown): Answer {
  if (!(failure instanceof AccessDenied)) {
    throw failure;
  }
  return { status: failure.status, headers: { 'content-type': JSON_TYPE, ...failure.headers }, body: JSON.stringify(failure.body) };
}

/** RFC 9728 section 3.2: the metadata, which anybody may read from anywhere and keep for a while. */
export function metadataAnswer({ metadata }: Pick<ResourceServer, 'metadata'>): Answer {
  return {
    status: 200,
    headers: { 'content-type': JSON_TYPE, 'cache-control': 'public, max-age=3600', 'access-control-allow-origin': '*' },
    body: JSON.stringify(metadata),
  };
}
