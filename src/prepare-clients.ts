import type { ClientStore } from './clients/client-store.ts';
import { cachedClients } from './clients/clients.ts';
import type { DocumentClientStore } from './clients/document-client-store.ts';
import { type DocumentClients, documentClients } from './clients/document-clients.ts';
import { documentFetcher } from './clients/document-fetching.ts';
import { registrationLimits } from './clients/registrable.ts';
import type { Config } from './config/config.ts';
import type { AuditTrail } from './core/audit.ts';
import type { Clock } from './core/clock.ts';
import type { RequestLimits } from './limits/request-limits.ts';

/** The clients of a server: those that are registered, and where that is on those that their documents describe. */
export function prepareClients(parts: {
  readonly config: Config;
  readonly repositories: { readonly clientStore: ClientStore; readonly documentClientStore: DocumentClientStore };
  readonly limits: RequestLimits;
  readonly clock: Clock;
  readonly audit: AuditTrail;
}): DocumentClients {
  const { config, repositories, limits, clock, audit } = parts;
  const isOn = config.features.has('client-id-metadata-documents');
  return documentClients({
    registered: cachedClients(repositories.clientStore),
    store: repositories.clientStore,
    documents: repositories.documentClientStore,
    fetch: documentFetcher({ limits: registrationLimits(config), policy: config.selfRegistered, clock }),
    policy: config.selfRegistered,
    privateAddresses: config.outboundPrivateAddresses,
    isAllowed: (address) => isOn && isAmong(config.clientDocumentHosts, new URL(address).hostname),
    limits,
    clock,
    audit,
  });
}

function isAmong(hosts: readonly string[], hostname: string): boolean {
  return hosts.length === 0 || hosts.some((host) => (host.startsWith('*.') ? hostname.endsWith(host.slice(1)) : hostname === host));
}
