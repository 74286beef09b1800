import { createHash, randomBytes } from 'node:crypto';
import type { ProtocolRequest, SetCookie } from '../core/endpoint.ts';
import { equalInConstantTime } from '../core/secrets.ts';
import type { ServerSecrets } from '../keys/server-secrets.ts';
import { mintBytes, proveBytes } from '../tokens/authenticated-bytes.ts';

/** What a form is good for: which action, on what, in which session. A token for one is none for another. */
export interface FormPurpose {
  readonly action: string;
  /** The signed request the form carries, or any other value it is about. */
  readonly subject: string;
  /** The session it is shown in, where it acts for its user. */
  readonly sessionId?: string | undefined;
}

/** Ties forms to the browser they were shown in (OWASP: signed double-submit cookie), so that no other site can post them. */
export interface Forms {
  /** The token to put into a form, and the cookie that must come back with it. */
  issue(request: ProtocolRequest, purpose: FormPurpose): { readonly token: string; readonly cookies: readonly SetCookie[] };
  /** Whether the posted `form_token` was made for this purpose in this browser, and the post came from our own page. */
  isGenuine(request: ProtocolRequest, purpose: FormPurpose): boolean;
  /** Names the browser that sends a request, and is worth nothing without its cookie; undefined: no form was ever shown in it. */
  browserTag(request: ProtocolRequest): string | undefined;
}

const COOKIE = 'keyturn_browser';
const DOMAIN = 'keyturn form';
const BROWSER_ID = /^[A-Za-z0-9\-_]{22}$/;

/** @param origin of the issuer, as a browser writes it in the `Origin` header. */
export function forms(secrets: ServerSecrets, origin: string): Forms {
  return {
    issue(request, purpose) {
      const known = browserOf(request);
      const browser = known ?? randomBytes(16).toString('base64url');
      return {
        token: mintBytes(secrets, DOMAIN, fingerprint(browser, purpose)),
        cookies: known === undefined ? [{ name: COOKIE, value: browser }] : [],
      };
    },
    isGenuine(request, purpose) {
      const browser = browserOf(request);
      const token = request.form.get('form_token');
      if (browser === undefined || token === undefined || !isFromOwnPage(request, origin)) {
        return false;
      }
      const proven = proveBytes(secrets, DOMAIN, token);
      return proven !== undefined && equalInConstantTime(proven.toString('hex'), fingerprint(browser, purpose).toString('hex'));
    },
    browserTag(request) {
      const browser = browserOf(request);
      return browser && fingerprint(browser, TAG).toString('base64url');
    },
  };
}

const TAG = { action: 'tag', subject: '' };

function browserOf({ cookies }: ProtocolRequest): string | undefined {
  const browser = cookies[COOKIE];
  return browser !== undefined && BROWSER_ID.test(browser) ? browser : undefined;
}

function fingerprint(browser: string, { action, subject, sessionId }: FormPurpose): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([browser, action, subject, sessionId ?? null]))
    .digest();
}

/**
 * Browsers say where a post comes from. Sec-Fetch-Site (W3C Fetch Metadata) cannot be forged by a page; Origin is `null` on our pages, whose
 * referrer policy is no-referrer, so it refuses only when it names somebody else. A program such as curl says neither.
 */
function isFromOwnPage({ headers }: ProtocolRequest, origin: string): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) {
    return site === 'same-origin' || site === 'none';
  }
  return headers.origin === undefined || headers.origin === 'null' || headers.origin === origin;
}
