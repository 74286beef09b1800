import { displayText } from './display-text.ts';
import type { Language } from './languages.ts';
import { messagesIn } from './translations.ts';

/**
 * Where a redirect URI leads, in words a person can judge: `app.example.com`, `this device (127.0.0.1)`, `the app com.example.app`. The
 * host of an internationalized name is its ASCII form, which cannot look like another. The scheme is said where it is not https.
 */
export function describeRedirect(language: Language, redirectUri: string): string {
  const text = messagesIn(language).redirect;
  if (!URL.canParse(redirectUri)) {
    return displayText(redirectUri, 300);
  }
  const url = new URL(redirectUri);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    return text.app.replace('{scheme}', () => displayText(url.protocol.slice(0, -1), 300));
  }
  if (LOOPBACK.test(url.hostname)) {
    return text.thisDevice.replace('{host}', () => url.hostname);
  }
  return url.protocol === 'https:' ? url.host : `http://${url.host}`;
}

// RFC 8252 section 7.3, and localhost (section 8.3).
const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|\[::1\]|localhost)$/;
