/** RFC 8628 section 3.4: the `grant_type`, and what a client that may use it registers. */
export const DEVICE_CODE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

/** The same, of OpenID Connect Client-Initiated Backchannel Authentication (section 4). */
export const CIBA_GRANT = 'urn:openid:params:grant-type:ciba';

/** Grant types by which a user decides elsewhere than where the client runs. */
export const DEFERRED_GRANTS: readonly string[] = [DEVICE_CODE_GRANT, CIBA_GRANT];
