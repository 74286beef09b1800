import { initial } from './0001-initial.ts';
import { openidConnect } from './0002-openid-connect.ts';
import { deliveries } from './0003-deliveries.ts';
import { resources } from './0004-resources.ts';
import { authorizationDetails } from './0005-authorization-details.ts';
import { secondFactors } from './0006-second-factors.ts';
import { fairShares } from './0007-fair-shares.ts';
import { statusLists } from './0008-status-lists.ts';
import { changeNotices } from './0009-change-notices.ts';
import { rateLimits } from './0010-rate-limits.ts';
import { sharedSignals } from './0012-shared-signals.ts';
import { deferredRequests } from './0013-deferred-requests.ts';
import { dynamicRegistration } from './0014-dynamic-registration.ts';
import { documentClients } from './0015-document-clients.ts';
import { trustedIssuers } from './0017-trusted-issuers.ts';
import { backchannelRequests } from './0019-backchannel-requests.ts';
import type { Migration } from './migration.ts';

/** Every migration, oldest first. A list and not a scan of the folder, which would differ between the sources and what is built from them. */
export const migrations: readonly Migration[] = [
  initial,
  openidConnect,
  deliveries,
  resources,
  authorizationDetails,
  secondFactors,
  fairShares,
  statusLists,
  changeNotices,
  rateLimits,
  sharedSignals,
  deferredRequests,
  dynamicRegistration,
  documentClients,
  trustedIssuers,
  backchannelRequests,
];
