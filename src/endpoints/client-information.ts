import type { ClientRecord } from '../clients/client-store.ts';

/** What a client that registered itself is told of its registration. */
export interface ClientInformation {
  readonly record: ClientRecord;
  /** Made just now; undefined: it has none, or has it already. It is stored as a digest and cannot be told again. */
  readonly secret: string | undefined;
  readonly softwareStatement: string | undefined;
  /** For the next request about this registration. */
  readonly registrationAccessToken: string;
  readonly registrationClientUri: string;
}

/** RFC 7591 section 3.2.1 with RFC 7592 section 3: all that is registered, defaults included, as it is registered. */
export function clientInformation(information: ClientInformation): Readonly<Record<string, unknown>> {
  const { record, secret, softwareStatement, registrationAccessToken, registrationClientUri } = information;
  return {
    client_id: record.id,
    client_id_issued_at: record.createdAt,
    // Section 3.2.1: "REQUIRED if "client_secret" is issued", and 0 is never.
    ...(secret === undefined ? {} : { client_secret: secret, client_secret_expires_at: 0 }),
    registration_access_token: registrationAccessToken,
    registration_client_uri: registrationClientUri,
    ...record.metadata,
    ...(softwareStatement === undefined ? {} : { software_statement: softwareStatement }),
  };
}
