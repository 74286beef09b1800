import { NO_DETAILS } from '../authorization-details/authorization-detail.ts';
import { formatScope, type Scope } from '../core/scope.ts';
import type { Confirmation, Grant, RevocationReason } from '../grants/grant.ts';
import type { NewGrant } from '../grants/grants.ts';
import type { Database } from './database.ts';

/** A row of `grants` with what is read of its user. */
interface GrantRow {
  readonly id: string;
  readonly client_id: string;
  readonly user_id: string;
  readonly scope: string;
  readonly resources: string;
  readonly auth_time: number;
  readonly auth_methods: string;
  readonly session_id: string;
  readonly redirect_uri: string;
  readonly redirect_uri_given: number;
  readonly code_challenge: string | null;
  readonly openid: string | null;
  readonly authorization_details: string | null;
  readonly confirmation: string | null;
  readonly bound_from: number | null;
  readonly generation: number;
  readonly generation_at: number;
  readonly expires_at: number;
  readonly absolute_expires_at: number | null;
  readonly created_at: number;
  readonly status_entry: number | null;
  readonly revoked_at: number | null;
  readonly revocation_reason: RevocationReason | null;
  readonly user_disabled_at: number | null;
  readonly user_access_token_claims: string;
}

/** How statements about grants answer on a database. */
export interface GrantSelection {
  /** What a statement selects or returns for a grant. */
  readonly sql: string;
  /** @returns the grant by a row of its answer. */
  grantOf(row: object): Grant;
}

/** On SQLite a row is one text of JSON: for its driver a value costs more than all that is in it does for JSON.parse. */
export function grantSelection(kind: Database['kind']): GrantSelection {
  if (kind === 'postgres') {
    return { sql: COLUMNS.map(([name, sql]) => `${sql} AS ${name}`).join(', '), grantOf: (row) => grantOf(row as GrantRow) };
  }
  return {
    sql: `json_array(${COLUMNS.map(([, sql]) => sql).join(', ')}) AS packed`,
    grantOf(row) {
      const values: unknown[] = JSON.parse((row as { readonly packed: string }).packed);
      const unpacked: Record<string, unknown> = {};
      for (const [index, [name]] of COLUMNS.entries()) {
        unpacked[name] = values[index];
      }
      return grantOf(unpacked as unknown as GrantRow);
    },
  };
}

/** The columns a new row is given, and their SQL types. The others begin as NULL. */
export const NEW_GRANT_COLUMNS = [
  ['id', 'text'],
  ['client_id', 'text'],
  ['user_id', 'text'],
  ['scope', 'text'],
  ['resources', 'text'],
  ['auth_time', 'bigint'],
  ['auth_methods', 'text'],
  ['session_id', 'text'],
  ['redirect_uri', 'text'],
  ['redirect_uri_given', 'integer'],
  ['code_challenge', 'text'],
  ['openid', 'text'],
  ['authorization_details', 'text'],
  ['confirmation', 'text'],
  ['bound_from', 'bigint'],
  ['generation', 'bigint'],
  ['generation_at', 'bigint'],
  ['expires_at', 'bigint'],
  ['absolute_expires_at', 'bigint'],
  ['created_at', 'bigint'],
  ['status_entry', 'bigint'],
] as const;

// The subqueries read the row of the user that is there by the foreign key.
const COLUMNS: readonly (readonly [name: keyof GrantRow, sql: string])[] = [
  ...NEW_GRANT_COLUMNS.map(([name]) => [name, `grants.${name}`] as const),
  ['revoked_at', 'grants.revoked_at'],
  ['revocation_reason', 'grants.revocation_reason'],
  ['user_disabled_at', '(SELECT users.disabled_at FROM users WHERE users.id = grants.user_id)'],
  ['user_access_token_claims', '(SELECT users.access_token_claims FROM users WHERE users.id = grants.user_id)'],
];

/** A new grant with its place in the status lists. */
export type NumberedGrant = NewGrant & { readonly statusEntry: number };

/** The values of a new grant, in the order of `NEW_GRANT_COLUMNS`. */
export function valuesOf(grant: NumberedGrant): readonly (string | number | null)[] {
  return [
    grant.id,
    grant.clientId,
    grant.userId,
    formatScope(grant.scope),
    JSON.stringify(grant.resources),
    grant.authentication.authTime,
    JSON.stringify(grant.authentication.methods),
    grant.authentication.sessionId,
    grant.code.redirectUri,
    grant.code.redirectUriGiven ? 1 : 0,
    grant.code.codeChallenge ?? null,
    grant.openid === undefined ? null : JSON.stringify(grant.openid),
    grant.authorizationDetails === undefined || grant.authorizationDetails.length === 0 ? null : JSON.stringify(grant.authorizationDetails),
    confirmationText(grant.confirmation),
    grant.confirmation === undefined ? null : 0,
    grant.withoutCode === true ? 1 : 0,
    grant.createdAt,
    grant.expiresAt,
    grant.absoluteExpiresAt ?? null,
    grant.createdAt,
    grant.statusEntry,
  ];
}

function grantOf(row: GrantRow): Grant {
  return {
    id: row.id,
    clientId: row.client_id,
    user: {
      id: row.user_id,
      disabled: row.user_disabled_at !== null,
      accessTokenClaims: JSON.parse(row.user_access_token_claims),
    },
    scope: scopeOf(row.scope),
    resources: JSON.parse(row.resources),
    authorizationDetails: row.authorization_details === null ? NO_DETAILS : JSON.parse(row.authorization_details),
    authentication: { authTime: row.auth_time, methods: JSON.parse(row.auth_methods), sessionId: row.session_id },
    code: {
      redirectUri: row.redirect_uri,
      redirectUriGiven: row.redirect_uri_given === 1,
      codeChallenge: row.code_challenge ?? undefined,
    },
    openid: row.openid === null ? undefined : JSON.parse(row.openid),
    confirmation: row.confirmation === null ? undefined : confirmationOf(row.confirmation),
    boundFrom: row.bound_from ?? undefined,
    generation: row.generation,
    generationAt: row.generation_at,
    expiresAt: row.expires_at,
    absoluteExpiresAt: row.absolute_expires_at ?? undefined,
    createdAt: row.created_at,
    statusEntry: row.status_entry ?? undefined,
    revokedAt: row.revoked_at ?? undefined,
    revocationReason: row.revocation_reason ?? undefined,
  };
}

function scopeOf(text: string): Scope {
  return text === '' ? [] : text.split(' ');
}

/** A confirmation as one text, so that a statement can compare it: the method, a space, the thumbprint. */
export function confirmationText(confirmation: Confirmation | undefined): string | null {
  return confirmation === undefined ? null : `${confirmation.method} ${confirmation.thumbprint}`;
}

function confirmationOf(text: string): Confirmation {
  const [method, thumbprint = ''] = text.split(' ');
  return { method: method === 'jkt' ? 'jkt' : 'x5t#S256', thumbprint };
}
