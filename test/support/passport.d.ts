// Neither package has types of its own, and those of others bring the types of a whole framework along: this is what the test calls.

declare module 'passport' {
  import type { IncomingMessage, ServerResponse } from 'node:http';

  const passport: {
    use(strategy: object): void;
    authenticate(
      name: string,
      options: { readonly session: boolean; readonly failWithError: boolean },
    ): (request: IncomingMessage, response: ServerResponse, next: (error?: Error) => void) => void;
  };
  export default passport;
}

declare module 'passport-openidconnect' {
  const Strategy: new (
    options: object,
    verify: (issuer: string, profile: object, done: (error: null, found: object) => void) => void,
  ) => object;
  export default Strategy;
}
