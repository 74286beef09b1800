import type { AuthorizationDetails } from '../authorization-details/authorization-detail.ts';
import { detailsMember, NO_DETAILS } from '../authorization-details/authorization-detail.ts';
import type { DetailRequests } from '../authorization-details/detail-requests.ts';
import { detailsAt } from '../authorization-details/locations.ts';
import type { Client } from '../clients/client.ts';
import type { Clients } from '../clients/clients.ts';
import type { IdJagPolicy } from '../clients/id-jag-metadata.ts';
import { requestedScope } from '../clients/permissions.ts';
import type { AuditTrail } from '../core/audit.ts';
import { InvalidAuthorizationDetails, InvalidRequest, InvalidScope, InvalidTarget } from '../core/errors.ts';
import type { Parameters } from '../core/parameters.ts';
import { required } from '../core/parameters.ts';
import { formatScope, parseScope } from '../core/scope.ts';
import type { RequestLimits } from '../limits/request-limits.ts';
import type { IdJagIssuer } from '../tokens/id-jag.ts';
import type { TokenResponse } from '../tokens/token-response.ts';
import type { TokenRequest } from './grant-type.ts';
import { namesDetails } from './granted-details.ts';
import type { IdJagSubjects } from './id-jag-subject.ts';

/** The `requested_token_type`. */
export const ID_JAG = 'urn:ietf:params:oauth:token-type:id-jag';

/** Answers a token exchange that asks for an ID-JAG, of a client that authenticated as a confidential one. */
export type IdJagExchange = (request: TokenRequest) => Promise<TokenResponse>;

/**
 * draft-ietf-oauth-identity-assertion-authz-grant-03 section 4.3, as the identity provider: a client that a user has logged in at is given a JWT with
 * which another authorization server gives it access for that user. The operator's entry in the client's metadata stands for the user's consent, and
 * is the most that the ID-JAG says. What is asked beyond it is refused and not left out, although the draft would allow that.
 */
export function idJagExchange(rooms: {
  readonly issuer: string;
  readonly idJagSubjects: IdJagSubjects;
  readonly issueIdJag: IdJagIssuer;
  readonly clients: Pick<Clients, 'find'>;
  readonly detailRequests: Pick<DetailRequests, 'requested'>;
  readonly limits: Pick<RequestLimits, 'user'>;
  readonly audit: AuditTrail;
}): IdJagExchange {
  const { issuer, idJagSubjects, issueIdJag, clients, detailRequests, limits, audit } = rooms;

  return async (request) => {
    const { client, parameters, confirmation, now, requestId, counted } = request;
    refuseActor(parameters);
    const audience = audienceOf(parameters);
    const grant = await idJagSubjects.read(request);
    limits.user(grant.user.id, counted);
    const asked = [...new Set(parameters.all('resource'))];
    const policy = policyFor(client, audience, asked);
    const relyingParty = await relyingPartyOf(policy);
    // What the request leaves out the entry fills in: silent about it, the ID-JAG would be for whatever the other server gives.
    const resources = asked.length === 0 ? policy.resources : asked;
    const authorizationDetails = detailsAt(await detailsWithin(parameters, client, policy), resources);
    const allowed = parseScope(policy.scope);
    const scope = requestedScope(parameters, allowed, namesDetails(parameters) ? [] : allowed);
    if (scope.length === 0 && authorizationDetails.length === 0) {
      throw new InvalidScope('Nothing that was asked for may be had there: an ID-JAG is for scope or for authorization_details.');
    }
    const { jwt, jti, expiresIn } = await issueIdJag(
      { client, grant, policy, relyingParty, scope, resources, authorizationDetails, confirmation },
      now,
    );
    audit.record('id_jag_issued', {
      clientId: client.id,
      userId: grant.user.id,
      grantId: grant.id,
      jti,
      audience,
      clientIdThere: policy.client_id,
      scope: formatScope(scope),
      resource: resources.join(' '),
      requestId,
    });
    return {
      // RFC 8693 section 2.2.1: called so although it is none, and of a type that says so.
      access_token: jwt,
      issued_token_type: ID_JAG,
      token_type: 'N_A',
      expires_in: expiresIn,
      ...(scope.length === 0 ? {} : { scope: formatScope(scope) }),
      ...detailsMember(authorizationDetails),
    };
  };

  /** The first entry for that server that has all the resources. @throws InvalidTarget when there is none (RFC 8693 section 2.2.2). */
  function policyFor({ metadata }: Client, audience: string, resources: readonly string[]): IdJagPolicy {
    // Section 8.3: "the IdP MUST NOT issue access tokens in response to an ID-JAG it issued itself", so there is no use in one.
    const policy =
      audience === issuer
        ? undefined
        : metadata.id_jag?.find((entry) => entry.audience === audience && resources.every((one) => entry.resources.includes(one)));
    if (policy === undefined) {
      throw new InvalidTarget('The client may not have an ID-JAG for that audience and resource (id_jag in its metadata).');
    }
    return policy;
  }

  async function relyingPartyOf({ relying_party: id }: IdJagPolicy): Promise<Client | undefined> {
    const party = id === undefined ? undefined : await clients.find(id);
    if (id !== undefined && party === undefined) {
      // Under another name the user would be somebody else there.
      throw new InvalidTarget('That audience is no client of this server any more.', `relying_party ${id} is not registered`);
    }
    return party;
  }

  /** @throws InvalidAuthorizationDetails when they do not fit their type, or it is none of the entry's. */
  async function detailsWithin(
    parameters: Parameters,
    client: Client,
    { authorization_details_types: types = [] }: IdJagPolicy,
  ): Promise<AuthorizationDetails> {
    if (!namesDetails(parameters)) {
      return NO_DETAILS;
    }
    const details = await detailRequests.requested(parameters, client);
    if (details === undefined || !details.every(({ type }) => types.includes(type))) {
      throw new InvalidAuthorizationDetails('The client may not have an ID-JAG with authorization_details of that type there.');
    }
    return details;
  }
}

/** Section 4.3: one server, for one issuer is all that an ID-JAG may have in `aud` (section 4.4.1). */
function audienceOf(parameters: Parameters): string {
  const [audience, ...more] = new Set(parameters.all('audience'));
  if (audience !== undefined && more.length > 0) {
    throw new InvalidRequest('An ID-JAG is for one audience: the issuer of the resource authorization server.');
  }
  return audience ?? required(parameters, 'audience');
}

/** Not supported: the draft leaves to others what an actor token would mean (section 4.3). Ignored, it would look as if it had been heard. */
function refuseActor(parameters: Parameters): void {
  const given = ['actor_token', 'actor_token_type'].find((name) => parameters.get(name) !== undefined);
  if (given !== undefined) {
    throw new InvalidRequest(`The parameter ${given} is not supported where an ID-JAG is requested.`);
  }
}
