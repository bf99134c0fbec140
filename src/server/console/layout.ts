/** What all pages have around them: the head, the way from page to page, and what is to be said about the index. */
import type { IndexProgress } from "../../index/enrollment-index.ts";
import { scriptPath } from "./assets/script.ts";
import { iconPath, stylePath } from "./assets/style.ts";
import { type Html, html, type Part } from "./html.ts";
import { count, shown, time } from "./shown.ts";

export interface Frame {
  readonly version: string;
  /** Null: not signed in. */
  readonly operator: { readonly name: string; readonly canSignOut: boolean } | null;
  /** Null: it is not open yet. */
  readonly progress: IndexProgress | null;
  readonly nowMs: number;
}

export interface Page {
  readonly title: string;
  /** Of the links at the top, the one that it belongs to. */
  readonly place: Place | null;
  readonly body: Part;
}

const places = [
  ["overview", "/console", "Overview"],
  ["enrollments", "/console/enrollments", "Enrollments"],
  ["letters", "/console/letters", "Dead letters"],
  ["tenants", "/console/tenants", "Tenants"],
  ["audit", "/console/audit", "Audit"],
] as const;
export type Place = (typeof places)[number][0];

export function pageText({ title, place, body }: Page, frame: Frame): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · connector-registrar</title>
<link rel="stylesheet" href="${stylePath}">
<link rel="icon" href="${iconPath}" type="image/svg+xml">
<script type="module" src="${scriptPath}"></script>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header>
<p class="product">connector-registrar</p>
${frame.operator && navigation(place)}
${frame.operator && signedIn(frame.operator)}
</header>
<main id="main" tabindex="-1">
${frame.operator && indexNotice(frame.progress)}
<h1>${title}</h1>
${body}
</main>
<footer><p>connector-registrar ${frame.version}. As of ${time(frame.nowMs)}. <span id="live-state" role="status"></span></p></footer>
</body>
</html>
`.text;
}

function navigation(place: Place | null): Html {
  return html`<nav aria-label="Pages"><ul>
${places.map(([name, path, text]) => html`<li><a href="${path}"${name === place && html` aria-current="page"`}>${text}</a></li>`)}
</ul></nav>`;
}

function signedIn({ name, canSignOut }: NonNullable<Frame["operator"]>): Html {
  if (!canSignOut) return html`<p class="who">no sign-in on this machine</p>`;
  return html`<form class="who" method="post" action="/console/sign-out"><span>${name}</span> <button class="plain">Sign out</button></form>`;
}

/** What is missing from each page while the index lacks something. */
function indexNotice(progress: IndexProgress | null): Html {
  return html`<div id="index-notice" data-live>${noticeOf(progress)}</div>`;
}

function noticeOf(progress: IndexProgress | null): Part {
  if (progress === null)
    return notice(
      "warn",
      html`The index is not open yet. What the pages show of enrollments is missing; look again in a moment.`,
    );
  if (progress.trouble !== null)
    return notice(
      "bad",
      html`The topics can't be read: ${shown(progress.trouble, 500)} What is shown is as of ${time(progress.caughtUpAtMs)}. The service keeps trying.`,
    );
  if (progress.caughtUp) return null;
  const { behindRecords } = progress;
  return notice(
    "warn",
    html`The index is being built${behindRecords !== null && ` (${count(behindRecords)} records left)`}. What is not shown may still be there.`,
  );
}

export function notice(kind: "good" | "warn" | "bad", text: Part): Html {
  const words = { good: "Done", warn: "Note", bad: "Trouble" }[kind];
  return html`<p class="notice ${kind}"><strong>${words}:</strong> ${text}</p>`;
}

/** A table that scrolls within itself on a narrow screen, also by keyboard. */
export function table(caption: string, heads: readonly Head[], rows: readonly Html[]): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}">
<table><caption>${caption}</caption>
<thead><tr>${heads.map(headCell)}</tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

/** `number`: of a column of numbers, which stand to the right. */
export type Head = string | Html | { readonly number: string };

function headCell(head: Head): Html {
  return typeof head === "object" && "number" in head
    ? html`<th scope="col" class="number">${head.number}</th>`
    : html`<th scope="col">${head}</th>`;
}
