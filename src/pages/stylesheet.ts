import { createHash } from 'node:crypto';
import { darkPalette, lightPalette, type Palette } from './palette.ts';

/** The one stylesheet, inline on every page. Sizes are in rem, so that everything follows the reader's font size. */
export const stylesheet = `
:root { color-scheme: light dark; ${properties(lightPalette)} }
@media (prefers-color-scheme: dark) { :root { ${properties(darkPalette)} } }
*, *::before, *::after { box-sizing: border-box; }
html { font: 100%/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Apple SD Gothic Neo", "Malgun Gothic", "Noto Sans CJK KR", sans-serif; -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; min-height: 100vh; min-height: 100dvh; display: grid; align-items: start; justify-items: center; background: var(--surface); color: var(--ink); overflow-wrap: anywhere; }
:lang(ko) { word-break: keep-all; line-break: strict; }
h1, h2, p, ul, dl, dd { margin: 0; padding: 0; }
p, li, dd { text-wrap: pretty; }
main { width: 100%; max-width: 28rem; padding: 1.5rem 1.25rem 2rem; }
.brand { display: flex; align-items: center; gap: .5rem; min-height: 2.5rem; margin-bottom: 1.5rem; color: var(--quiet); font-size: .875rem; font-weight: 600; letter-spacing: .01em; }
.mark { flex: none; width: 1.75rem; height: 1.75rem; fill: none; stroke: var(--ink); stroke-width: 2; }
.mark-turn { stroke: var(--brass); stroke-width: 3; stroke-linecap: round; }
.mark-keyway { fill: var(--ink); stroke: none; transform-origin: 16px 16px; }
.mark-turned .mark-keyway { transform: rotate(45deg); }
.mark-stuck .mark-keyway { transform: rotate(-14deg); }
h1 { font-size: 1.625rem; line-height: 1.25; font-weight: 650; letter-spacing: -.015em; text-wrap: balance; }
:lang(ko) h1 { line-height: 1.35; letter-spacing: -.025em; }
.purpose { margin-top: .375rem; color: var(--quiet); text-wrap: balance; }
.purpose bdi, .account-line bdi { color: var(--ink); font-weight: 600; }
form { margin: 0; }
.field { margin-top: 1.25rem; }
label { display: block; margin-bottom: .375rem; font-weight: 600; font-size: .9375rem; }
input { display: block; width: 100%; min-height: 3rem; padding: .625rem .875rem; border: 1px solid var(--edge); border-radius: .625rem; background: var(--surface); color: var(--ink); font: inherit; }
input:hover { border-color: var(--ink); }
input[aria-invalid=true] { border-color: var(--danger); }
input[aria-invalid=true]:not(:focus-visible) { box-shadow: inset 0 0 0 1px var(--danger); }
button { display: inline-block; min-height: 3rem; padding: .625rem 1.25rem; border: 1px solid transparent; border-radius: .625rem; font: inherit; font-weight: 600; cursor: pointer; }
.primary { background: var(--action); color: var(--action-ink); }
.primary:hover { background: var(--action-hover); }
.secondary { background: transparent; color: var(--ink); border-color: var(--edge); }
.secondary:hover { background: var(--tint); border-color: var(--ink); }
.plain { min-height: 2.75rem; padding: .5rem 0; background: transparent; color: var(--action); text-decoration: underline; text-underline-offset: .2em; text-decoration-thickness: 1px; }
.plain:hover, a:hover { text-decoration-thickness: 2px; }
.wide { width: 100%; margin-top: 1.75rem; }
a { color: var(--action); text-underline-offset: .2em; text-decoration-thickness: 1px; }
:focus-visible { outline: 3px solid var(--action); outline-offset: 2px; }
input:focus-visible { outline-offset: 0; }
.notice { display: flex; gap: .625rem; margin-top: 1.25rem; padding: .75rem .875rem; border: 1px solid var(--line); border-radius: .625rem; background: var(--tint); }
.notice svg { flex: none; width: 1.25rem; height: 1.25rem; margin-top: .125rem; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; }
.problem { border-color: var(--danger); background: var(--danger-surface); color: var(--danger); }
.thread { flex: 1; margin-inline: .25rem; border-top: 2px dotted var(--brass); }
.tile { flex: none; display: grid; place-items: center; width: 2.5rem; height: 2.5rem; border: 1px solid var(--edge); border-radius: .625rem; color: var(--ink); font-size: 1.125rem; line-height: 1; }
.lead { margin-top: 1.25rem; }
.qr { display: block; width: 100%; max-width: 15rem; margin: 1rem auto 0; border-radius: .625rem; }
.secret { margin-top: .375rem; font-size: 1.125rem; }
.codes { display: grid; grid-template-columns: repeat(auto-fill, minmax(12rem, 1fr)); gap: .5rem 1rem; margin-top: 1.25rem; list-style: none; font-size: 1.125rem; }
.scopes { margin-top: .5rem; list-style: none; border-block: 1px solid var(--line); }
.scopes li { display: flex; gap: .75rem; padding: .6875rem 0; }
.scopes li + li { border-top: 1px solid var(--line); }
.scopes svg { flex: none; width: 1.25rem; height: 1.5rem; fill: none; stroke: var(--brass); stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
code { font: .875em/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, "Noto Sans Mono", monospace; word-break: normal; }
.facts { margin-top: 1rem; display: grid; gap: .375rem; }
.facts > div { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 1rem; }
.facts dt { flex: 0 0 7.5rem; color: var(--quiet); font-size: .9375rem; }
.facts dd { flex: 1 1 11rem; min-width: 0; font-weight: 600; }
.facts code { display: block; font-weight: 400; }
.detail { margin-top: .75rem; padding: .875rem 1rem; border: 1px solid var(--line); border-radius: .75rem; background: var(--tint); }
.detail h2 { font-size: 1rem; font-weight: 650; }
.detail p { margin-top: .125rem; color: var(--quiet); font-size: .9375rem; }
.detail .facts { margin-top: .5rem; }
.detail dd .facts { margin-top: 0; padding-inline-start: .75rem; border-inline-start: 1px solid var(--line); }
.detail dd dt { font-weight: 400; }
.detail dd ul { padding-inline-start: 1.125rem; }
.links { display: flex; flex-wrap: wrap; gap: 0 1.25rem; margin-top: .25rem; list-style: none; font-size: .9375rem; }
.links a { display: inline-flex; align-items: center; min-height: 2.75rem; }
.decision { display: grid; gap: .75rem; margin-top: 1.25rem; }
.aside { margin-top: 1rem; color: var(--quiet); font-size: .9375rem; }
.aside + .aside { margin-top: .125rem; }
.switch { display: flex; flex-wrap: wrap; align-items: center; gap: 0 .5rem; margin: 1rem 0 -.75rem; padding-top: .5rem; border-top: 1px solid var(--line); color: var(--quiet); }
.advice { margin-top: .75rem; color: var(--quiet); }
.details { margin-top: 1.75rem; padding: 1rem; border: 1px solid var(--line); border-radius: .75rem; background: var(--tint); }
.details h2 { font-size: .9375rem; font-weight: 600; }
.details .facts { margin-top: .75rem; }
.details dt { flex-basis: 5rem; }
.details dd { flex-basis: 10rem; font-weight: 400; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (min-width: 32rem) {
  body { background: var(--canvas); padding: 2rem 1rem; align-items: center; }
  main { padding: 2.25rem 2.5rem 2.5rem; border: 1px solid var(--line); border-radius: 1.25rem; background: var(--surface); box-shadow: 0 1px 2px rgb(0 0 0 / .04), 0 1rem 3rem -1rem rgb(0 0 0 / .12); }
  .decision { grid-template-columns: 1fr 1fr; }
}
@media (min-width: 48rem) and (min-height: 36rem) {
  body::before, body::after { content: ""; position: fixed; z-index: -1; inset: 0; margin: auto; width: min(92vmin, 46rem); aspect-ratio: 1; border: 1px solid var(--line); border-radius: 50%; pointer-events: none; }
  body::after { border: 2px solid transparent; border-top-color: var(--brass); transform: rotate(45deg); }
}
@media (prefers-reduced-motion: no-preference) {
  .mark-keyway { animation: turn .7s cubic-bezier(.3, 1.4, .5, 1) .15s backwards; }
  @keyframes turn { from { transform: none; } }
  button, input { transition: background-color .15s, border-color .15s; }
}
@media (forced-colors: active) {
  .mark, .mark-turn, .scopes svg { stroke: CanvasText; }
  .mark-keyway { fill: CanvasText; }
  body::before, body::after { display: none; }
  .primary { border-color: ButtonText; }
  .plain { padding-inline: .5rem; }
  :focus-visible { outline-color: Highlight; }
}
`;

/** The stylesheet as a source of the `style-src` directive (CSP level 3 section 2.3.1): no other style is let in. */
export const stylesheetSource = `'sha256-${createHash('sha256').update(stylesheet).digest('base64')}'`;

function properties(palette: Palette): string {
  return Object.entries(palette)
    .map(([name, colour]) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}: ${colour};`)
    .join(' ');
}
