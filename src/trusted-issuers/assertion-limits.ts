import { InvalidScope } from '../core/errors.ts';
import { parseScope, type Scope } from '../core/scope.ts';

/** What an assertion itself lets tokens be good for; undefined: it says nothing of it. */
export interface AssertionLimits {
  readonly scope: Scope | undefined;
  /** RFC 8707 resource indicators. */
  readonly resources: readonly string[] | undefined;
  /** RFC 9396, as JSON text: nothing of it is checked yet. */
  readonly authorizationDetails: string | undefined;
  /** RFC 7638 thumbprint of the key that whoever presents it must prove to hold (RFC 9449 section 6.1). */
  readonly keyThumbprint: string | undefined;
}

/**
 * The limits that an assertion comes with, as an ID-JAG names them (draft-ietf-oauth-identity-assertion-authz-grant-03 section 3.1). Of any other
 * assertion they mean the same: what its issuer has bounded is not given without these bounds.
 * @param tenant that the issuer is trusted for, where it has several: subjects are its own within each (section 6.3).
 * @returns what is wrong, or means something that is not known here.
 */
export function limitsOf(
  claims: Readonly<Record<string, unknown>>,
  tenant: string | undefined,
): AssertionLimits | { readonly problem: string } {
  const { scope, resource, authorization_details: details, cnf } = claims;
  if (claims['tenant'] !== tenant) {
    return { problem: 'tenant of the assertion is not the one that its issuer is trusted for.' };
  }
  // Not supported: tenants of this server, and actors (section 8.5 leaves them to others). A token without them would say something else.
  const unknown = ['aud_tenant', 'act'].find((name) => claims[name] !== undefined);
  if (unknown !== undefined) {
    return { problem: `the claim ${unknown} of the assertion is not supported.` };
  }
  const values = scope === undefined ? undefined : scopeIn(scope);
  const resources = resource === undefined ? undefined : resourcesIn(resource);
  const authorizationDetails = Array.isArray(details) ? jsonOf(details) : undefined;
  const keyThumbprint = cnf === undefined ? undefined : thumbprintIn(cnf);
  const problem =
    (scope !== undefined && values === undefined && 'scope of the assertion is no scope (RFC 6749 section 3.3).') ||
    (resource !== undefined &&
      resources === undefined &&
      'resource of the assertion is neither a URI nor a list of URIs (RFC 8707 section 2).') ||
    (details !== undefined &&
      authorizationDetails === undefined &&
      'authorization_details of the assertion is no array (RFC 9396 section 2), or nested too deeply.') ||
    (cnf !== undefined && keyThumbprint === undefined && 'cnf of the assertion has another member than jkt (RFC 9449 section 6.1).');
  return problem === false ? { scope: values, resources, authorizationDetails, keyThumbprint } : { problem };
}

function scopeIn(text: unknown): Scope | undefined {
  try {
    return typeof text === 'string' ? parseScope(text) : undefined;
  } catch (error) {
    if (error instanceof InvalidScope) {
      return undefined;
    }
    throw error;
  }
}

function resourcesIn(value: unknown): readonly string[] | undefined {
  const all: readonly unknown[] = Array.isArray(value) ? value : [value];
  return all.length > 0 && all.every((one) => typeof one === 'string') ? all : undefined;
}

/** @returns undefined for what is nested more deeply than can be written: reading it has no such limit. */
function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

function thumbprintIn(cnf: unknown): string | undefined {
  const { jkt, ...others } = (typeof cnf === 'object' && cnf !== null ? cnf : {}) as Readonly<Record<string, unknown>>;
  return typeof jkt === 'string' && Object.keys(others).length === 0 ? jkt : undefined;
}
