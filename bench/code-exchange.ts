import { createHash } from 'node:crypto';

/** What all codes that the loads redeem were made with. */
export const REDIRECT_URI = 'https://app.example/callback';
export const CODE_VERIFIER = 'v'.repeat(43);
export const CODE_CHALLENGE = createHash('sha256').update(CODE_VERIFIER).digest('base64url');
