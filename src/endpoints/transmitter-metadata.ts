import type { EnabledFeatures } from '../config/feature-switches.ts';
import { POLL_METHOD, PUSH_METHOD } from '../signals/stream-document.ts';
import { STATUS_PATH } from './event-stream-status.ts';
import { ADD_SUBJECT_PATH, REMOVE_SUBJECT_PATH } from './event-stream-subjects.ts';
import { VERIFICATION_PATH } from './event-stream-verification.ts';
import { PATH as STREAMS_PATH } from './event-streams.ts';

/** SSF 1.0 section 7.1: what a receiver has to know of this transmitter. */
export function transmitterMetadata({
  issuer,
  enabled,
  mutualTls,
}: {
  readonly issuer: string;
  readonly enabled: EnabledFeatures;
  readonly mutualTls: object | undefined;
}): object {
  return {
    spec_version: '1_0',
    issuer,
    jwks_uri: `${issuer}/jwks`,
    delivery_methods_supported: [PUSH_METHOD, POLL_METHOD],
    configuration_endpoint: issuer + STREAMS_PATH,
    status_endpoint: issuer + STATUS_PATH,
    add_subject_endpoint: issuer + ADD_SUBJECT_PATH,
    remove_subject_endpoint: issuer + REMOVE_SUBJECT_PATH,
    verification_endpoint: issuer + VERIFICATION_PATH,
    // A session that is revoked is named beside its user: whoever looks at the user alone ends more than that, and never less.
    critical_subject_members: ['user'],
    authorization_schemes: [
      'urn:ietf:rfc:6749',
      ...(enabled.has('dpop') ? ['urn:ietf:rfc:9449'] : []),
      ...(mutualTls !== undefined ? ['urn:ietf:rfc:8705'] : []),
    ].map((urn) => ({ spec_urn: urn })),
    default_subjects: 'ALL',
  };
}
