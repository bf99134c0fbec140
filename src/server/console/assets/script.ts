/**
 * The pages' script. They are complete without it; with it they stay up to date: on an event from the service it fetches the page again and
 * puts its live parts in the place of the old ones, unless the reader is at work in one of them.
 */
import { hash } from "node:crypto";

export const scriptText = `"use strict";
const live = [...document.querySelectorAll("[data-live]")];
const state = document.getElementById("live-state");
let source = null;
let isBusy = false;
let isStale = false;

function say(text) {
  if (state !== null && state.textContent !== text) state.textContent = text;
}

/* A slow page is fetched less often, but at least every five seconds. */
async function refresh() {
  isStale = isBusy;
  if (isBusy) return;
  isBusy = true;
  const fromMs = performance.now();
  try {
    const headers = { "x-live": "1" };
    const response = await fetch(location.href, { redirect: "error", cache: "no-store", headers });
    if (!response.ok) return;
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    for (const part of live) replace(part, fresh.getElementById(part.id));
  } catch {
    say("Not connected; what is shown may be old.");
  } finally {
    setTimeout(() => {
      isBusy = false;
      if (isStale) refresh();
    }, Math.min(5000, 10 * (performance.now() - fromMs)));
  }
}

function replace(part, fresh) {
  if (fresh === null || part.innerHTML === fresh.innerHTML) return;
  if (part.contains(document.activeElement) && document.activeElement.tabIndex >= 0) return;
  for (const { id } of part.querySelectorAll("details[open][id]")) {
    const same = [...fresh.querySelectorAll("details")].find((each) => each.id === id);
    if (same) same.open = true;
  }
  part.replaceChildren(...fresh.childNodes);
}

function listen() {
  source = new EventSource("/console/live");
  /* No event reported what changed since the page was made, or since the connection ended. */
  source.addEventListener("open", () => {
    say("Live.");
    refresh();
  });
  source.addEventListener("change", refresh);
  source.addEventListener("error", () => say("Not connected; what is shown may be old."));
}

/* A hidden page keeps no connection: browsers allow only six. */
function follow() {
  if (document.hidden) {
    source?.close();
    source = null;
  } else if (source === null) listen();
}

if (live.length > 0) {
  document.addEventListener("visibilitychange", follow);
  if (!document.hidden) listen();
}

for (const all of document.querySelectorAll("[data-checks-all]")) {
  all.closest("label").hidden = false;
  all.addEventListener("change", () => {
    for (const box of all.form.querySelectorAll("input[name=id]")) box.checked = all.checked;
  });
}
`;

export const scriptPath = `/console/script.js?v=${hash("sha256", scriptText).slice(0, 12)}`;
