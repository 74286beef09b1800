import type { PreparedGrant } from './deployment.ts';
import type { TokenAnswer, TokenRequests } from './token-requests.ts';

/** Honest clients, one a grant, each of which refreshes again and again and remembers all it sent and all it was told. */
export interface RotationLoad {
  readonly tally: { acknowledged: number; lost: number; unavailable: number };
  /** What an honest client must never see, in words. */
  readonly violations: readonly string[];
  /** What each client knows, in the order of the grants. */
  readonly clients: readonly RotatingClient[];
  /** All refresh until `stop`, or until their server is gone. */
  start(url: string): { stop(): Promise<void> };
  /** All send their last request once more, whether it was answered or not, as a client does that was not sure. */
  repeatLast(url: string): Promise<void>;
}

/** What one client knows. */
export interface RotatingClient {
  readonly grantId: string;
  /** The newest token it was given. */
  readonly token: string;
  /** What it last presented, and whether an answer came. */
  readonly last: { readonly presented: string; readonly answered: boolean } | undefined;
}

interface Memory {
  readonly grantId: string;
  token: string;
  last: { presented: string; answered: boolean } | undefined;
  /** The successor that was given for what was presented. */
  readonly successors: Map<string, string>;
}

export function rotationLoad(grants: readonly PreparedGrant[], requests: TokenRequests): RotationLoad {
  const tally = { acknowledged: 0, lost: 0, unavailable: 0 };
  const violations: string[] = [];
  const clients: Memory[] = grants.map(({ id, token }) => ({ grantId: id, token, last: undefined, successors: new Map<string, string>() }));

  /** Presents a token, sometimes twice at the same moment (two tabs). @returns whether the server is there. */
  async function present(client: Memory, url: string, token: string, copies: number): Promise<boolean> {
    client.last = { presented: token, answered: false };
    const outcomes = await Promise.all(Array.from({ length: copies }, () => requests.refresh(url, token)));
    for (const outcome of outcomes) {
      if (outcome.kind === 'lost') {
        tally.lost++;
      } else if (outcome.status === 503) {
        tally.unavailable++;
      } else {
        take(client, token, outcome.status, outcome.body);
      }
    }
    return !outcomes.some(({ kind }) => kind === 'lost');
  }

  function take(client: Memory, presented: string, status: number, { refresh_token: successor, access_token, error }: TokenAnswer): void {
    if (status !== 200 || successor === undefined || access_token === undefined) {
      violations.push(`${client.grantId}: ${status} ${error} for the token it was given`);
      return;
    }
    tally.acknowledged++;
    const before = client.successors.get(presented);
    if (before !== undefined && before !== successor) {
      violations.push(`${client.grantId}: a second successor for the same token`);
    }
    client.successors.set(presented, successor);
    client.token = successor;
    client.last = { presented, answered: true };
  }

  return {
    tally,
    violations,
    clients,
    start(url) {
      const state = { stopped: false };
      const loops = clients.map(async (client, index) => {
        for (let turn = index; !state.stopped && violations.length === 0; turn++) {
          if (!(await present(client, url, client.token, turn % 5 === 0 ? 2 : 1))) {
            return;
          }
        }
      });
      return {
        async stop() {
          state.stopped = true;
          await Promise.all(loops);
        },
      };
    },
    async repeatLast(url) {
      await Promise.all(clients.map((client) => present(client, url, client.last?.presented ?? client.token, 1)));
    },
  };
}
