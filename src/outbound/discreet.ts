import { type Outbound, OutboundFailure } from './outbound.ts';

/**
 * The same way out for a stranger who is told what came of it: every failure has the same words, a status that is not 200 too. Otherwise a
 * request could be used to ask which hosts and ports there are in the network that this server is in.
 */
export function discreetOutbound(send: Outbound): Outbound {
  return async (request) => {
    try {
      const answer = await send(request);
      if (answer.status === 200) {
        return answer;
      }
    } catch (error) {
      if (!(error instanceof OutboundFailure)) {
        throw error;
      }
      throw new OutboundFailure(WORDS, { cause: error });
    }
    throw new OutboundFailure(WORDS);
  };
}

const WORDS = 'no document came from there';
