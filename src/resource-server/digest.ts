import { base64url } from 'jose';

const encoder = new TextEncoder();

/** SHA-256, base64url. */
export async function sha256(input: string | Uint8Array): Promise<string> {
  const bytes = typeof input === 'string' ? encoder.encode(input) : input;
  return base64url.encode(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
}
