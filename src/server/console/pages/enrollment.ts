/** One enrollment's story, as far as the topics and the worker of this process tell it. */
import { positionId } from "../../../domain/origin.ts";
import type { Enrollment, RefusedDetails, RegisteredDetails } from "../../../index/enrollment-index.ts";
import type { Position } from "../../../observer.ts";
import { waitingFor } from "../../waiting-for.ts";
import { type Html, html, type Part } from "../html.ts";
import { notice, type Page } from "../layout.ts";
import { type RecordFound, recordDetails } from "../record.ts";
import { count, shown, time } from "../shown.ts";
import { stateText } from "./enrollments.ts";

export interface Story {
  readonly enrollment: Enrollment;
  /** The record that says most: of the dead letter, or of the event; null: its place is unknown. */
  readonly record: { readonly at: Position; readonly found: RecordFound } | null;
  /** Why the tenant's records wait, where a worker of this process knows. */
  readonly whyTenantWaits: string | null;
  /** By which a worker says that Graph refuses the tenant. */
  readonly graphsWords: string | null;
}

/** Where the bytes stand that the enrollment came as. */
export function recordPlace({ state, refused, registered, position }: Enrollment): Position | null {
  if (state === "refused" && refused !== null) return refused.position;
  return position ?? refused?.position ?? registered?.position ?? null;
}

export function enrollmentPage(story: Story): Page {
  const { enrollment, record } = story;
  const body = html`<div id="story" data-live>
${facts(enrollment)}
<h2>What happened</h2>
<ol class="story">${steps(story)}</ol>
</div>
<h2>The record${record !== null && html` <span class="hint">${positionId(record.at)}</span>`}</h2>
${recordPart(record)}`;
  return { title: "Enrollment", place: "enrollments", body };
}

function facts(each: Enrollment): Html {
  return html`<dl class="facts">
<dt>State</dt><dd>${stateText(each.state)}</dd>
<dt>Machine</dt><dd>${shown(each.machineName, 500)}</dd>
<dt>Connector</dt><dd>${shown(each.connectorName, 500)}</dd>
<dt>Tenant</dt><dd>${shown(each.tenantId)}</dd>
<dt>Enrolled at</dt><dd>${shown(each.enrollmentDateTime)}</dd>
<dt>Idempotency key</dt><dd><code>${shown(each.key)}</code></dd>
<dt>Event</dt><dd>${shown(each.eventId, 500)} from ${shown(each.source, 500)}</dd>
</dl>`;
}

function steps({ enrollment, whyTenantWaits, graphsWords }: Story): Part {
  const { position, enrolledAtMs, state, waiting, refused, registered } = enrollment;
  const isBefore = refused !== null && (registered !== null || state === "waiting");
  return [
    html`<li><h3>Stored</h3><p>${position === null ? "Where its event was stored is not known: it is in the topics no longer." : html`Its event was stored at <code>${positionId(position)}</code>`}${enrolledAtMs !== null && html`, ${time(enrolledAtMs)}`}.</p></li>`,
    isBefore && refusedStep(refused),
    waiting !== null && waitingStep(waiting.position, whyTenantWaits, graphsWords),
    !isBefore && refused !== null && refusedStep(refused),
    registered !== null && registeredStep(registered),
  ];
}

function waitingStep(at: Position, why: string | null, words: string | null): Html {
  return html`<li><h3 class="waiting">Waits</h3><p>It stands at <code>${positionId(at)}</code>. ${waitingFor(at).message} ${why}</p>
${words !== null && notice("warn", html`Graph refuses this tenant: ${shown(words, 600)} <a href="/console">What to do</a>`)}
<p class="hint">Attempts of a worker that has not settled it yet are in that worker's log, under this position.</p></li>`;
}

function refusedStep({
  id,
  code,
  message,
  pointers,
  attempts,
  requestId,
  atMs,
  replayed,
  position,
}: RefusedDetails): Html {
  return html`<li><h3 class="refused">Refused: ${shown(code)}</h3>
<p>${shown(message, 2_000)}</p>
<dl class="facts">
<dt>When</dt><dd>${time(atMs)}</dd>
${pointers.length > 0 && html`<dt>Where in the event</dt><dd>${pointers.map((pointer, at) => html`${at > 0 && ", "}<code>${shown(pointer)}</code>`)}</dd>`}
<dt>Attempts</dt><dd>${count(attempts)}</dd>
<dt>Graph's request-id</dt><dd><code>${shown(requestId)}</code></dd>
<dt>Dead letter</dt><dd><code>${shown(id)}</code>, stored at <code>${positionId(position)}</code></dd>
<dt>Replayed since</dt><dd>${replayed ? "yes" : "no"}</dd>
</dl>
${
  !replayed &&
  html`<form method="post" action="/console/replays"><input type="hidden" name="id" value="${id}">
<button class="plain">Replay this dead letter…</button> <span class="hint">First a dry run is shown.</span></form>`
}</li>`;
}

function registeredStep({
  graphId,
  requestId,
  status,
  outcome,
  attempts,
  atMs,
  position,
}: RegisteredDetails): Html {
  const how = { created: "Graph created it", recovered: "It was found in Graph after a reply was lost" }[
    outcome
  ];
  return html`<li><h3 class="registered">Registered</h3><p>${how}.</p>
<dl class="facts">
<dt>Graph id</dt><dd><code>${shown(graphId)}</code></dd>
<dt>When</dt><dd>${time(atMs)}</dd>
<dt>Attempts</dt><dd>${count(attempts)} by the worker that reports</dd>
<dt>Graph's request-id</dt><dd><code>${shown(requestId)}</code>${status !== null && html`, status ${status}`}</dd>
<dt>Registered record</dt><dd><code>${positionId(position)}</code></dd>
</dl></li>`;
}

function recordPart(record: Story["record"]): Part {
  if (record === null) return html`<p class="hint">Nothing of it is in the topics now.</p>`;
  return record.found.ok ? recordDetails(record.found.record) : notice("warn", record.found.why);
}
