import { formatScope, parseScope } from '../core/scope.ts';
import { type MetadataReader, metadataReader } from './metadata-reader.ts';

/** One thing that a client may be given ID-JAGs for, at one resource authorization server. What none of its entries allows is refused. */
export interface IdJagPolicy {
  /** The issuer of that server, which `audience` of a request names, compared character by character. */
  readonly audience: string;
  /** What that server knows the client by. */
  readonly client_id: string;
  /** What `resource` may name, all of them within one entry; none: nothing. */
  readonly resources: readonly string[];
  /** The most that an ID-JAG lets the client ask for there, space-delimited; '': nothing but authorization details. */
  readonly scope: string;
  /** RFC 9396: of what types details may be; absent: of none. */
  readonly authorization_details_types?: readonly string[];
  /** The client that that server is here, where its users log in to it by this one: an ID-JAG names them as its ID tokens do. */
  readonly relying_party?: string;
  /** Whether that server is told the user's email address, where this client was. */
  readonly email?: boolean;
}

/** What a client may be given ID-JAGs for (draft-ietf-oauth-identity-assertion-authz-grant-03 section 4.3). */
export interface IdJagClientMetadata {
  /** In the order in which they are tried; absent: nothing. */
  readonly id_jag?: readonly IdJagPolicy[];
}

/**
 * Reads `id_jag`.
 * @param refuse is told what is wrong, one sentence that begins with the member's name, and throws.
 */
export function readIdJagMetadata(members: MetadataReader, refuse: (problem: string) => never): IdJagClientMetadata {
  const entries = members.objects('id_jag');
  if (entries === undefined || entries.length === 0) {
    return {};
  }
  return { id_jag: entries.map((entry, index) => readPolicy(entry, (problem) => refuse(`id_jag[${index}].${problem}`))) };
}

/**
 * A pairwise client does not know its users by their public names (OpenID Connect Core section 8.1), and must not learn them from an ID-JAG, which
 * it can read.
 * @returns one sentence that begins with the member's name, or undefined.
 */
export function idJagProblem(metadata: IdJagClientMetadata & { readonly subject_type?: string | undefined }): string | undefined {
  const nameless = metadata.subject_type === 'pairwise' && metadata.id_jag?.some(({ relying_party: party }) => party === undefined);
  return nameless === true
    ? 'id_jag: of a client with pairwise subjects each entry names the relying_party whose names for users it gives away.'
    : undefined;
}

function readPolicy(entry: Readonly<Record<string, unknown>>, refuse: (problem: string) => never): IdJagPolicy {
  const members = metadataReader(entry, refuse);
  const policy = {
    audience: issuerOf(members.text('audience'), refuse),
    client_id: members.text('client_id') || refuse('client_id: must be the name of the client at the resource authorization server.'),
    resources: members.resources('resources'),
    scope: scopeOf(members.text('scope') ?? '', refuse),
    ...members.optional('authorization_details_types', members.strings('authorization_details_types')),
    ...members.optional('relying_party', members.text('relying_party') || undefined),
    ...members.optional('email', members.flag('email')),
  };
  if (policy.scope === '' && (policy.authorization_details_types ?? []).length === 0) {
    // An ID-JAG that says nothing of either is one for all that the other server would give.
    return refuse('scope: must name a value, or authorization_details_types a type.');
  }
  // Elsewhere an unknown member is ignored. Here a misspelt one would be a policy that says something else than was meant.
  const [unknown] = members.unread();
  return unknown === undefined ? policy : refuse(`${unknown.slice(0, 40)}: is not known here.`);
}

/** RFC 8414 section 2; http, which that has not, is for development. Not supported: other names of a server, such as URNs (section 4.3). */
function issuerOf(text: string | undefined, refuse: (problem: string) => never): string {
  const url = text !== undefined && URL.canParse(text) ? new URL(text) : undefined;
  const isIssuer = url !== undefined && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '' && url.username === '';
  return text !== undefined && isIssuer
    ? text
    : refuse('audience: must be the issuer of a resource authorization server, an https address with neither query nor fragment.');
}

function scopeOf(text: string, refuse: (problem: string) => never): string {
  try {
    return formatScope(parseScope(text));
  } catch {
    return refuse('scope: has a character that RFC 6749 section 3.3 does not allow.');
  }
}
