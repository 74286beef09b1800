import type { Endpoint } from '../core/endpoint.ts';
import { InvalidRequest } from '../core/errors.ts';
import { shownUserCode } from '../deferred-requests/user-codes.ts';
import { qrCodeImage, qrCodeText } from '../pages/qr-code.ts';

/**
 * The `verification_uri_complete` of a user code as a QR code (RFC 8628 section 3.3.1), for devices that cannot draw one: a picture, and text
 * for terminals. It says what is in the address and nothing else: whether there is such a code is not looked at, so that nobody can ask here.
 */
export function deviceQrEndpoints({ issuer }: { readonly issuer: string }): readonly Endpoint[] {
  return [endpoint('/device/qr.svg', 'image/svg+xml', qrCodeImage), endpoint('/device/qr.txt', 'text/plain; charset=utf-8', qrCodeText)];

  function endpoint(path: `/${string}`, contentType: string, drawn: (text: string) => string): Endpoint {
    return {
      path,
      methods: ['GET'],
      async handle({ query }) {
        const userCode = shownUserCode(query.get('user_code') ?? '');
        if (userCode === undefined) {
          throw new InvalidRequest('The parameter user_code is missing, or is none of a device (RFC 8628 section 6.1).');
        }
        return { kind: 'document', contentType, body: drawn(`${issuer}/device?user_code=${userCode}`), maxAgeSeconds: 600 };
      },
    };
  }
}
