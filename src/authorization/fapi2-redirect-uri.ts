import { isFapi2 } from '../clients/fapi2-profile.ts';
import { InvalidRequest } from '../core/errors.ts';
import type { AuthorizationRule } from './authorization.ts';

/** FAPI 2.0 Security Profile section 5.3.2.2: "shall require the redirect_uri parameter in pushed authorization requests". */
export const fapi2RedirectUriRule: AuthorizationRule = {
  name: 'fapi2 redirect_uri',
  onlyByBrowser: true,
  apply({ client, redirectUriGiven }) {
    if (isFapi2(client) && !redirectUriGiven) {
      throw new InvalidRequest('The parameter redirect_uri is missing: the FAPI 2.0 Security Profile requires it.');
    }
    return {};
  },
};
