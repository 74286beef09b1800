import type { Endpoint, ProtocolRequest, ProtocolResponse } from '../core/endpoint.ts';
import { OAuthError, StorageUnavailable } from '../core/errors.ts';
import { errorPage } from '../pages/error-page.ts';
import type { Language } from '../pages/languages.ts';
import { chooseLanguage } from '../pages/languages.ts';
import type { ErrorSituation } from '../pages/messages.ts';

/** The endpoint, with its refusals shown as pages: people are in front of it, and nobody there reads JSON. */
export function showingErrors(endpoint: Endpoint): Endpoint {
  return {
    ...endpoint,
    async handle(request) {
      try {
        return await endpoint.handle(request);
      } catch (error) {
        if (error instanceof OAuthError) {
          return problemPage(request, { status: error.status, error: error.code, description: error.message, headers: error.headers });
        }
        if (error instanceof StorageUnavailable) {
          return problemPage(request, { status: 503, error: 'temporarily_unavailable', headers: { 'retry-after': '1' } });
        }
        throw error;
      }
    },
  };
}

/** A form that is too old, was not shown to this browser, or came from elsewhere: to be begun again. */
export function expiredPage(request: ProtocolRequest): ProtocolResponse {
  return problemPage(request, { status: 400, situation: 'expired' });
}

/** The language of the person in front of the browser. */
export function languageOf({ headers }: ProtocolRequest): Language {
  const accepted = headers['accept-language'];
  return chooseLanguage(undefined, typeof accepted === 'string' ? accepted : undefined);
}

function problemPage(
  request: ProtocolRequest,
  problem: {
    readonly status: number;
    readonly situation?: ErrorSituation;
    readonly error?: string;
    readonly description?: string;
    readonly headers?: Readonly<Record<string, string>>;
  },
): ProtocolResponse {
  const { status, headers = {}, ...facts } = problem;
  return {
    kind: 'page',
    status,
    html: errorPage({ language: languageOf(request), status, requestId: request.requestId, ...facts }),
    headers,
  };
}
