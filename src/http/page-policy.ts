/** The header fields every page is sent with. */
export interface PagePolicy {
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Content-Security-Policy for a page whose forms lead to this server and from there to `formTargets`.
   * @param scriptSource the CSP source expression of the page's one inline script; absent: it has none.
   */
  contentSecurityPolicy(formTargets: readonly string[], scriptSource?: string): string;
}

/**
 * Pages that no one can frame, script, or make send a password elsewhere (RFC 9700 section 4.16).
 * @param stylesheetSource the CSP source expression of the one inline stylesheet, such as `'sha256-…'`.
 */
export function pagePolicy(stylesheetSource: string): PagePolicy {
  const start = `default-src 'none'; style-src ${stylesheetSource}; img-src data:; base-uri 'none'; frame-ancestors 'none'; form-action 'self'`;
  return {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      pragma: 'no-cache',
      // For browsers that do not know frame-ancestors.
      'x-frame-options': 'DENY',
      'cross-origin-opener-policy': 'same-origin',
      'permissions-policy': 'camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()',
    },
    // Chrome applies form-action to the redirects that follow a POST as well, so the client's redirect URI has to be in it.
    contentSecurityPolicy: (formTargets, scriptSource) =>
      [
        ...(scriptSource === undefined ? [] : [`script-src ${scriptSource};`]),
        start,
        ...new Set(formTargets.flatMap(sourceExpression)),
      ].join(' '),
  };
}

// CSP Level 3 section 2.3.1, host-source: letters, digits and hyphens only, and of the IP addresses none but 127.0.0.1 matches.
const HOST_SOURCE = /^https?:\/\/[a-z\d-]+(?:\.[a-z\d-]+)*(?::\d+)?$/i;
const IPV4_HOST = /^https?:\/\/\d+(?:\.\d+){3}(?::\d+)?$/;
const LOOPBACK_HOST = /^https?:\/\/127\.0\.0\.1(?::\d+)?$/;
const SCHEME_SOURCE = /^([a-z][a-z\d+.-]*:)/i;

/** The target as a CSP source: an origin where that can be written, else its scheme. Nothing else gets in, so no target can end the directive. */
function sourceExpression(target: string): readonly string[] {
  if (HOST_SOURCE.test(target) && (!IPV4_HOST.test(target) || LOOPBACK_HOST.test(target))) {
    return [target];
  }
  const scheme = SCHEME_SOURCE.exec(target)?.[1];
  return scheme === undefined ? [] : [scheme];
}
