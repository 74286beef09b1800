import type { Language } from './languages.ts';
import { favicon, keyTurn, type Turn } from './mark.ts';
import { darkPalette, lightPalette } from './palette.ts';
import { stylesheet } from './stylesheet.ts';
import { type Markup, template } from './template.ts';

/** What every page has around its own part. */
export interface PageFrame {
  readonly language: Language;
  /** Of the browser's tab, as plain text. */
  readonly title: string;
  /** How far the key in the mark has turned. */
  readonly turn: Turn;
  /** Beside the brand: whom the key is for. */
  readonly recipient?: Markup;
  readonly body: Markup;
}

/**
 * A complete HTML document. It asks for nothing outside itself, has no script (but for `formPostPage`), and no style but the one stylesheet, so
 * the strictest content security policy fits: `default-src 'none'` with `stylesheetSource` and, for its icon, `img-src data:`.
 */
export function page({ language, title, turn, recipient, body }: PageFrame): string {
  const colours = { light: lightPalette.canvas, dark: darkPalette.canvas };
  return frame({ language, title, body, stylesheet, favicon, mark: keyTurn(turn), recipient: recipient ?? ('' as Markup), ...colours });
}

// Both languages are written from left to right.
const frame = template<
  Required<Omit<PageFrame, 'turn'>> & { stylesheet: string; favicon: string; mark: Markup; light: string; dark: string }
>(`
<!doctype html>
<html lang="<%= it.language %>" dir="ltr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="theme-color" content="<%= it.light %>" media="(prefers-color-scheme: light)">
<meta name="theme-color" content="<%= it.dark %>" media="(prefers-color-scheme: dark)">
<meta name="robots" content="noindex, nofollow">
<meta name="referrer" content="no-referrer">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no">
<title><%= it.title %> · Keyturn</title>
<link rel="icon" href="<%= it.favicon %>">
<style><%~ it.stylesheet %></style>
</head>
<body>
<main>
<p class="brand" translate="no"><%~ it.mark %>Keyturn<%~ it.recipient %></p>
<%~ it.body %>
</main>
</body>
</html>
`);
