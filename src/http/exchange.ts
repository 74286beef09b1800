import type { ParameterizedContext } from 'koa';

/** What this room knows of one request and its answer, kept in the Koa context's state. */
export interface Exchange {
  requestId: string;
  remoteAddress: string;
  /** Whether the socket is a trusted proxy's. */
  throughTrustedProxy: boolean;
  /** The path the endpoint is mounted at, for the log; undefined: no endpoint. Never the URL, which may carry secrets. */
  route: string | undefined;
  /** Whether a refusal may be shown as a page: the endpoint is one that people's browsers navigate to. */
  forBrowsers: boolean;
  /** Whether scripts of every origin may read the answer. */
  crossOrigin: boolean;
  /** Requests that are of interest only when something is looked for: health probes. */
  quiet: boolean;
}

/** The Koa context inside this room. Nothing outside of it sees one. */
export type HttpContext = ParameterizedContext<Exchange>;
