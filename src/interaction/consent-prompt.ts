import type { AddressedRequest, Authorization } from '../authorization/authorization.ts';
import { cameByItself } from '../clients/client.ts';
import { canBeImpersonated } from '../clients/redirect-uri.ts';
import { selfDescription } from '../clients/self-description.ts';
import { ConsentRequired } from '../core/errors.ts';
import { isWithin, type Scope } from '../core/scope.ts';
import { scopesOfRequests } from '../tokens/user-claims.ts';
import type { Consents } from './consents.ts';
import type { Prompt } from './prompt.ts';

/** The user must allow what the client asks for, unless they did before or the client is first-party. */
export function consentPrompt(consents: Consents): Prompt {
  return {
    name: 'consent',
    async isDue({ addressed, authorization, session }) {
      // What asks is not in this browser, and the user alone can say whether it is theirs (RFC 8628 section 5.4, RFC 10027): no word of the
      // operator's or of an earlier day stands in for that.
      if (addressed.deferred !== undefined || authorization.prompts.includes('consent')) {
        return true;
      }
      // Also where any program could be the one that asks (`isRemembered`): the operator has said so of this very client.
      if (addressed.client.metadata.skip_consent) {
        return false;
      }
      if (session === undefined || !isRemembered(addressed, authorization)) {
        return true;
      }
      return !isWithin(consentItems(addressed, authorization), await consents.find(session.userId, addressed.client.id));
    },
    errorWhenSilent: () => new ConsentRequired('The user has not allowed this yet.'),
  };
}

/**
 * Whether an answer counts for the next time. Not where details are asked for: a payment that was allowed is that payment, and not the next one
 * (RFC 9396). And not for a public client whose redirect URI any program on the device could claim: nothing shows
 * that the one that asks next is the one that was allowed (RFC 8252 section 8.6; RFC 6749 section 10.2). Nor where the request is deferred:
 * each device is asked about by itself.
 */
export function isRemembered(
  { client, redirectUri }: Pick<AddressedRequest, 'client' | 'redirectUri'>,
  { authorizationDetails }: Pick<Authorization, 'authorizationDetails'>,
): boolean {
  return redirectUri !== undefined && authorizationDetails.length === 0 && (client.isConfidential || !canBeImpersonated(redirectUri));
}

/** The scope values a user is told of: those asked for, and those whose data is asked for claim by claim (OpenID Connect Core section 5.5). */
export function shownScope({ scope, openid }: Authorization): Scope {
  return [...new Set([...scope, ...scopesOfRequests(openid?.claims?.id_token, openid?.claims?.userinfo)])];
}

/**
 * What a user allows, item by item. Those with a space in them are no scope values, and cannot be taken for one. A client that describes itself
 * is allowed it as it describes itself: once that has changed, what was allowed another one is asked anew.
 */
export function consentItems({ client }: Pick<AddressedRequest, 'client'>, authorization: Authorization): readonly string[] {
  const { resources } = authorization;
  return [
    'client access',
    ...(cameByItself(client) ? [`client described ${selfDescription(client)}`] : []),
    ...shownScope(authorization),
    ...resources.map((resource) => `resource ${resource}`),
  ];
}
