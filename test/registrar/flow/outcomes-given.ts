/** Outcomes of one partition with an appender that keeps what it gets, for tests of them. */
import { contoso, detailsOf, eventRecord, keyOf } from "../../../lab/testkit/enrollments.ts";
import { settings } from "../../../lab/testkit/registrar-world.ts";
import { answers } from "../../../lab/testkit/scripted-graph.ts";
import { virtualClock } from "../../../lab/testkit/virtual-clock.ts";
import type { RegistrarEvent } from "../../../src/observer.ts";
import type { InputTopic, LogRecord, Session } from "../../../src/ports.ts";
import { createOutcomes } from "../../../src/registrar/flow/outcomes.ts";
import type { Entry } from "../../../src/registrar/flow/troubled-places.ts";
import { createLease } from "../../../src/registrar/ownership/lease.ts";
import type { Work } from "../../../src/registrar/ownership/partition.ts";
import type { RegistrarSettings } from "../../../src/registrar/settings.ts";
import { freshPartition } from "../fresh-partition.ts";
import { type Given, stageOf } from "../life.ts";

const utf8 = new TextEncoder();
export const idempotencyKey = keyOf({});
export const object = { id: "made", ...detailsOf({}) };
export const refusal = { code: "graph-422", message: "no", pointers: ["/data"] };
export const reply = answers(201).reply;
export const from = (origin: string) => [["origin", utf8.encode(origin)]] as const;

/** The dead-letter topic ends at 7. `traceparent`: what is passed on; undefined: nothing is traced. */
export function given(traceparent?: string | null, changes: Partial<RegistrarSettings> = {}) {
  const lease = createLease({ ended: new AbortController().signal } as Session);
  const partition = freshPartition({ lease, deadLettersEnd: 7 });
  const clock = virtualClock();
  const entries: Entry[] = [];
  const events: RegistrarEvent[] = [];
  const raised: string[] = [];
  const traced: string[] = [];
  const traces = {
    sending: (_: unknown, outcome: object) => {
      traced.push(`sending ${Object.values(outcome).join(" ")}`);
      return traceparent ?? null;
    },
    sent: () => void traced.push("sent"),
  };
  const ports = { clock, observe: (event: RegistrarEvent) => void events.push(event) };
  const outcomes = createOutcomes(
    {
      ports: (traceparent === undefined ? ports : { ...ports, traces }) as never,
      settings: { ...settings, ...changes },
      raise: (_, { kind }) => void raised.push(kind),
    },
    { append: (entry) => void entries.push(entry), wake: () => {}, pending: () => 0 },
  );
  const workAt = (
    offset: number,
    {
      topic = "enrolled" as InputTopic,
      headers = [] as LogRecord["headers"],
      ...life
    }: Given & Partial<LogRecord> = {},
  ): Work => {
    const record = {
      ...eventRecord({}, 0),
      topic,
      headers,
      offset,
      timestampMs: clock.wallMs(),
      leaderEpoch: -1,
    };
    const event = { id: "event-1", source: "/installers/17", traceparent: null };
    const enrollment = { tenantId: contoso, details: detailsOf({}), event };
    return {
      ...{ partition, topic, record, enrollment, idempotencyKey, lane: "lane", enteredAtMs: 0 },
      slot: { offset, settled: false, tainted: false },
      stage: stageOf("publishing", life),
    } as unknown as Work;
  };
  return { partition, clock, entries, events, raised, traced, outcomes, workAt };
}
