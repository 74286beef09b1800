import type { DenialCode } from './access-denied.ts';

/** Why a request is not let in, before it is put into a challenge. Never leaves this room. */
export class Refusal extends Error {
  readonly code: DenialCode;
  /** Auth-params of the challenge beside `error` and `error_description`. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly detail: string | undefined;

  constructor(
    code: DenialCode,
    description: string,
    more: { readonly parameters?: Readonly<Record<string, string>>; readonly detail?: string | undefined } = {},
  ) {
    super(description);
    this.name = 'Refusal';
    this.code = code;
    this.parameters = more.parameters ?? {};
    this.detail = more.detail;
  }
}

/** A token that does not hold. One sentence for the client; what it was is for the log. */
export function invalidToken(
  detail: string,
  description = 'The access token is not valid: it is malformed, expired, revoked, or for another audience.',
): Refusal {
  return new Refusal('invalid_token', description, { detail });
}
