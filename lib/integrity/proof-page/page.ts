import { createHash } from "node:crypto";
import type { EventProof } from "@/lib/chain/event-proof";
import { proofScript } from "@/lib/generated/proof-script";

const STYLE = `:root{color-scheme:light dark;--text:#16181d;--soft:#565c67;--line:#d9dce1;--page:#fff;--ok:#0b6b3a;--bad:#b3261e;--sunken:#f4f5f7}
@media(prefers-color-scheme:dark){:root{--text:#e8eaee;--soft:#a2a9b5;--line:#33373f;--page:#14161a;--ok:#5fd39a;--bad:#ff8a80;--sunken:#1d2026}}
body{margin:0 auto;max-width:860px;padding:32px 24px 64px;font:14px/1.5 system-ui,sans-serif;color:var(--text);background:var(--page)}
h1{font-size:22px;line-height:1.3;margin:0 0 8px;letter-spacing:-.02em}h2{font-size:14px;margin:28px 0 8px}
h1[data-state=ok]{color:var(--ok)}h1[data-state=failed]{color:var(--bad)}
p{margin:0 0 8px;color:var(--soft);overflow-wrap:anywhere}
ol{list-style:none;margin:0;padding:0}li{border-top:1px solid var(--line);padding:8px 0 8px 28px;position:relative}
li::before{position:absolute;left:4px;content:"·";color:var(--soft)}
li[data-state=ok]::before{content:"✓";color:var(--ok)}li[data-state=failed]::before{content:"✕";color:var(--bad)}
li[data-state=failed]{color:var(--bad);font-weight:600}
dl{display:grid;grid-template-columns:140px minmax(0,1fr);margin:0}
dt,dd{margin:0;border-top:1px solid var(--line);padding:6px 0}dt{color:var(--soft)}
dd{font:12px/1.6 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere}
input{width:100%;box-sizing:border-box;font:12px ui-monospace,monospace;padding:10px;border:1px solid var(--line);border-radius:5px;background:var(--sunken);color:inherit}
@media(max-width:560px){body{padding:20px 16px 48px}dl{grid-template-columns:1fr}dd{border-top:0;padding-top:0}}`;

const hashSource = (text: string) =>
  `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/**
 * The proof of one event as one HTML file that fetches nothing: it shows the event and recomputes everything
 * from its canonical bytes to the signed checkpoint when it is opened. The event's values come in as data
 * and are written as text.
 */
export function proofPage(proof: EventProof, vkey: string): string {
  const data = JSON.stringify({ proof, vkey }).replaceAll("<", "\\u003c");
  const policy = `default-src 'none'; script-src ${hashSource(proofScript)}; style-src ${hashSource(STYLE)}; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Proof of event #${proof.line.seq}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1 id="verdict" aria-live="polite">Not checked: this page's program did not run</h1>
<p id="detail">The file was changed, or scripts are switched off.</p>
<h2>What was recomputed</h2>
<ol>
<li id="step-content">The event hashes to its chain hash</li>
<li id="step-place">The proof is of this event's place in the log</li>
<li id="step-signature">The log was signed with <span id="whose">the key in this file</span></li>
<li id="step-inclusion">The event is in the log that was signed</li>
</ol>
<h2><label for="key">The log's key</label></h2>
<p>A file that brings its own key proves nothing by itself. Compare this key with the one that you were given by another way, or paste that one here.</p>
<input id="key" spellcheck="false" autocomplete="off">
<h2>The event</h2>
<dl id="event"></dl>
<h2>Check it without this page</h2>
<p>Whoever made this file could have changed its program too. The same check outside of it: npx trailseal verify --proof FILE --vkey KEY</p>
</main>
<script type="application/json" id="proof">${data}</script>
<script>${proofScript}</script>
</body>
</html>
`;
}

/** The proof in a file that proofPage made; the text itself where it is none. */
export function proofInPage(text: string): string {
  const data = /<script type="application\/json" id="proof">(.*)<\/script>/.exec(text)?.[1];
  return data ? JSON.stringify(JSON.parse(data).proof) : text;
}
