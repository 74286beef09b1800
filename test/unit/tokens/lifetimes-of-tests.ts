import type { Lifetimes } from '../../../src/config/config.ts';

/** Lifetimes that can be told apart. */
export const LIFETIMES: Lifetimes = {
  accessTokenSeconds: 900,
  accessTokenMaxSeconds: 86_400,
  idTokenSeconds: 900,
  refreshTokenIdleSeconds: 1000,
  refreshTokenAbsoluteSeconds: 5000,
  refreshTokenGraceSeconds: 10,
  authorizationCodeSeconds: 60,
  sessionIdleSeconds: 100,
  sessionAbsoluteSeconds: 100,
};
