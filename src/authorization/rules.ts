import { requestedResources, requestedScope } from '../clients/permissions.ts';
import { InvalidRequest, RequestFormNotSupported, UnauthorizedClient, UnsupportedResponseType } from '../core/errors.ts';
import { refuseRepeats, required } from '../core/parameters.ts';
import type { AuthorizationRule } from './authorization.ts';
import { permitsMode, requestedMode } from './response-modes.ts';

/** RFC 6749 section 3.1: no parameter twice; only `resource` may be (RFC 8707 section 2). */
export const repeatsRule: AuthorizationRule = {
  name: 'repeats',
  apply({ parameters }) {
    refuseRepeats(parameters, ['resource']);
    return {};
  },
};

/** OpenID Connect Core section 7.2.1: what cannot be honoured must be refused, for ignoring it would change what was asked. */
export const registrationRule: AuthorizationRule = {
  name: 'registration',
  apply({ parameters }) {
    if (parameters.get('registration') !== undefined) {
      throw new RequestFormNotSupported(
        'registration_not_supported',
        'The parameter registration is not supported: register the client first.',
      );
    }
    return {};
  },
};

/** RFC 6749 section 3.1.1. Not supported: token and the hybrid types (RFC 9700 section 2.1.2). */
export const responseTypeRule: AuthorizationRule = {
  name: 'response_type',
  onlyByBrowser: true,
  apply({ client, parameters }) {
    if (required(parameters, 'response_type') !== 'code') {
      throw new UnsupportedResponseType('The response_type must be code.');
    }
    if (!client.metadata.response_types.includes('code')) {
      throw new UnauthorizedClient('The client is not registered for the response type code.');
    }
    return {};
  },
};

/** OAuth 2.0 Multiple Response Type Encoding Practices section 2.1: a mode that this server has, the client may use, and that gets to the redirect URI. */
export const responseModeRule: AuthorizationRule = {
  name: 'response_mode',
  onlyByBrowser: true,
  apply({ client, parameters, responseMode }) {
    const isRequested = requestedMode(client, parameters.get('response_mode')) === responseMode.name;
    // Of a client whose modes are all switched off since, the answer is an error in a mode that it may not have.
    if (!isRequested || !permitsMode(client, responseMode.name)) {
      throw new InvalidRequest(
        'The response_mode is not one of response_modes_supported, is not one the client is registered for, or cannot get to this redirect_uri.',
      );
    }
    return {};
  },
};

/** RFC 6749 section 3.3. A request without scope asks for all that the client is registered for. */
export const scopeRule: AuthorizationRule = {
  name: 'scope',
  apply: ({ client, parameters }) => ({ scope: requestedScope(parameters, client.scope, client.scope) }),
};

/** RFC 8707 section 2.1. */
export const resourceRule: AuthorizationRule = {
  name: 'resource',
  apply: ({ client, parameters }) => ({ resources: requestedResources(parameters, client.metadata.allowed_resources) }),
};

/** In its place where the feature is off: a token for another audience than was asked for is what nobody wants. */
export const noResourceRule: AuthorizationRule = {
  name: 'resource',
  apply: ({ parameters }) => ({ resources: requestedResources(parameters, []) }),
};
