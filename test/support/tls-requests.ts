import { request } from 'node:https';
import type { Answer } from './answers.ts';
import type { HeldCertificate } from './certificates.ts';

/** Who sends a request over TLS, and to whom. */
export interface TlsEnds {
  /** PEM of the authority that the server's certificate is from. */
  readonly ca: string;
  /** What the client shows when it is asked; undefined: nothing. */
  readonly certificate?: Pick<HeldCertificate, 'pem' | 'key'> | undefined;
}

export interface TlsRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** One request on a connection of its own. @returns as fetch does, which takes no client certificate. */
export function fetchOverTls(
  url: string | URL,
  { method = 'GET', headers = {}, body }: TlsRequest,
  { ca, certificate }: TlsEnds,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const identity = certificate === undefined ? {} : { cert: certificate.pem, key: certificate.key };
    const sent = request(url, { method, headers, agent: false, ca, ...identity }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => {
        const fields = Object.entries(response.headers).flatMap(([name, value]) =>
          typeof value === 'string' ? [[name, value] as [string, string]] : [],
        );
        resolve(new Response(Buffer.concat(chunks), { status: response.statusCode ?? 0, headers: fields }));
      });
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

/** Posts a form. */
export async function postOverTls(
  server: { readonly issuer: string },
  path: string,
  form: Readonly<Record<string, string>>,
  ends: TlsEnds & { readonly headers?: Readonly<Record<string, string>> },
): Promise<Answer> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded', ...ends.headers };
  const response = await fetchOverTls(server.issuer + path, { method: 'POST', headers, body: new URLSearchParams(form).toString() }, ends);
  return { status: response.status, headers: response.headers, body: (await response.json()) as Record<string, unknown> };
}
