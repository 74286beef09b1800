import { createHash, randomBytes } from 'node:crypto';
import type { TestClient, TestServer, TestUser } from './test-server.ts';
import { REDIRECT_URI } from './test-server.ts';

/** A page, or where the browser was sent to away from the server. */
export interface Arrival {
  readonly status: number;
  readonly url: URL;
  readonly html: string;
  readonly headers: Headers;
}

/** What a browser does, as far as the login pages need it: cookies, redirects within the server, forms. */
export interface Browser {
  readonly cookies: Map<string, string>;
  /** Follows redirects until a page is shown or an address outside the server is reached. */
  visit(url: string | URL, headers?: Readonly<Record<string, string>>): Promise<Arrival>;
  /**
   * Fills in the page's form that has all these fields and sends it. A field is an input of the form, or the name and value of one of its
   * buttons. `headers` go with the request as a browser's would.
   */
  submit(page: Arrival, fields: Readonly<Record<string, string>>, headers?: Readonly<Record<string, string>>): Promise<Arrival>;
}

export function browser(server: Pick<TestServer, 'issuer'>): Browser {
  const cookies = new Map<string, string>();
  const { origin } = new URL(server.issuer);

  async function follow(
    url: URL,
    init: Pick<RequestInit, 'method' | 'body'> & { readonly headers?: Readonly<Record<string, string>> },
  ): Promise<Arrival> {
    if (url.origin !== origin) {
      return { status: 0, url, html: '', headers: new Headers() };
    }
    const cookie = cookieHeader({ cookies });
    const response = await fetch(url, { ...init, headers: { ...(cookie === '' ? {} : { cookie }), ...init.headers }, redirect: 'manual' });
    keep(response);
    const location = response.headers.get('location');
    if (location !== null) {
      await response.arrayBuffer();
      return follow(new URL(location, url), {});
    }
    return { status: response.status, url, html: await response.text(), headers: response.headers };
  }

  function keep(response: Response): void {
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/max-age=0(?:;|$)/i.test(line)) {
        cookies.delete(name);
      } else {
        cookies.set(name, value);
      }
    }
  }

  return {
    cookies,
    visit: (url, headers = {}) => follow(new URL(url, server.issuer), { headers }),
    submit(page, fields, headers = {}) {
      const form = formWith(page, Object.keys(fields));
      const body = new URLSearchParams({ ...form.hidden, ...fields });
      return follow(new URL(form.action, page.url), { method: 'POST', body, headers });
    },
  };
}

/** The `Cookie` header the browser would send. */
export function cookieHeader({ cookies }: Pick<Browser, 'cookies'>): string {
  return [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
}

/** An authorization request by a browser, with PKCE. */
export interface CodeRequest {
  readonly url: string;
  readonly verifier: string;
  readonly state: string;
}

/** Builds an authorization request; a parameter given as undefined is left out. */
export function codeRequest(
  server: Pick<TestServer, 'issuer'>,
  client: TestClient,
  parameters: Readonly<Record<string, string | undefined>> = {},
): CodeRequest {
  const verifier = randomBytes(32).toString('base64url');
  const state = randomBytes(9).toString('base64url');
  const all: Record<string, string | undefined> = {
    client_id: client.id,
    response_type: 'code',
    redirect_uri: REDIRECT_URI,
    state,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...parameters,
  };
  const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return { url: `${server.issuer}/authorize?${new URLSearchParams(given).toString()}`, verifier, state };
}

/** Logs in where a login page is shown, allows where consent is asked, and arrives at the client's redirect URI, or at an error page. */
export async function passPages(tab: Browser, start: Arrival, user: TestUser): Promise<Arrival> {
  let page = start;
  if (page.html.includes('name="password"')) {
    page = await tab.submit(page, { username: user.username, password: user.password });
  }
  return page.html.includes('name="decision"') ? tab.submit(page, { decision: 'allow' }) : page;
}

/** The whole way of a user to a client's code. */
export async function authorize(
  server: Pick<TestServer, 'issuer'>,
  client: TestClient,
  user: TestUser,
  parameters: Readonly<Record<string, string | undefined>> = {},
  tab: Browser = browser(server),
): Promise<{ readonly code: string; readonly verifier: string; readonly state: string; readonly arrival: Arrival; readonly tab: Browser }> {
  const request = codeRequest(server, client, parameters);
  const arrival = await passPages(tab, await tab.visit(request.url), user);
  const code = arrival.url.searchParams.get('code');
  if (code === null) {
    throw new Error(`no code at ${arrival.url.href}\n${arrival.html.slice(-1500)}`);
  }
  return { code, verifier: request.verifier, state: request.state, arrival, tab };
}

/** Body of a token response or error. */
export interface TokenBody {
  readonly access_token: string;
  readonly token_type: string;
  readonly expires_in: number;
  readonly scope?: string;
  readonly refresh_token: string;
  readonly refresh_token_timeout?: number;
  readonly authorization_expires_in?: number;
  readonly id_token?: string;
  readonly error?: string;
  readonly error_description?: string;
}

/** The whole way of a user to a client's tokens. */
export async function logIn(
  server: TestServer,
  client: TestClient,
  user: TestUser,
  parameters: Readonly<Record<string, string | undefined>> = {},
  tab: Browser = browser(server),
): Promise<TokenBody> {
  const { code, verifier } = await authorize(server, client, user, parameters, tab);
  const redirect_uri = parameters['redirect_uri'] ?? REDIRECT_URI;
  const response = await server.post('/token', { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri }, client);
  return (await response.json()) as TokenBody;
}

/** Uses a refresh token. */
export async function refresh(
  server: Pick<TestServer, 'post'>,
  client: TestClient,
  refreshToken: string,
  more: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly body: TokenBody }> {
  const response = await server.post('/token', { grant_type: 'refresh_token', refresh_token: refreshToken, ...more }, client);
  return { status: response.status, body: (await response.json()) as TokenBody };
}

/** The page's form that has all these fields, to be sent as a browser would not. @throws Error when there is none. */
export function formWith(page: Pick<Arrival, 'html'>, fields: readonly string[]): Form {
  const form = formsOf(page.html).find(({ names }) => fields.every((name) => names.includes(name)));
  if (form === undefined) {
    throw new Error(`no form with ${fields.join(', ')} on this page:\n${page.html.slice(-2000)}`);
  }
  return form;
}

/** A form of a page. */
export interface Form {
  readonly action: string;
  readonly hidden: Readonly<Record<string, string>>;
  readonly names: readonly string[];
}

function formsOf(html: string): readonly Form[] {
  return [...html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)].map(([, opening = '', inner = '']) => {
    const controls = [...inner.matchAll(/<(?:input|button)\b([^>]*)>/g)].map(([, attributes = '']) => attributes);
    const hidden = controls.filter((control) => attribute(control, 'type') === 'hidden');
    return {
      action: attribute(opening, 'action'),
      hidden: Object.fromEntries(hidden.map((control) => [attribute(control, 'name'), attribute(control, 'value')])),
      names: controls.map((control) => attribute(control, 'name')),
    };
  });
}

function attribute(tag: string, name: string): string {
  const value = new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1] ?? '';
  return value.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}
