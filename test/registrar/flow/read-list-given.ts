/** Lists that are answered on request, for records in doubt that live as the table says, for tests of them. */
import { contoso, detailsOf, keyOf } from "../../../lab/testkit/enrollments.ts";
import { settings } from "../../../lab/testkit/registrar-world.ts";
import { answers } from "../../../lab/testkit/scripted-graph.ts";
import { virtualClock } from "../../../lab/testkit/virtual-clock.ts";
import { exactForm } from "../../../src/domain/same-enrollment.ts";
import type { GraphObject, ListReply } from "../../../src/graph-port.ts";
import type { RegistrarEvent } from "../../../src/observer.ts";
import type { Session } from "../../../src/ports.ts";
import type { Core } from "../../../src/registrar/flow/core.ts";
import type { LifeEvent } from "../../../src/registrar/flow/life-events.ts";
import { createReadList } from "../../../src/registrar/flow/read-list.ts";
import { transition } from "../../../src/registrar/flow/transition.ts";
import { createLease } from "../../../src/registrar/ownership/lease.ts";
import type { Work } from "../../../src/registrar/ownership/partition.ts";
import { freshPartition } from "../fresh-partition.ts";
import { known, ownDoubt, stageOf } from "../life.ts";

const rest = () => new Promise<void>((resolve) => setImmediate(resolve));
export const listed = (...objects: readonly GraphObject[]): ListReply => ({
  kind: "listed",
  objects,
  incomplete: null,
});
export const refused = answers(403).reply;
export const failed = answers(500).reply;

/** Chance is 0, so a list that failed is asked for again after 250 ms. */
export function given({ listsPer20s = 0, isTraced = false } = {}) {
  const clock = virtualClock();
  const asked: string[] = [];
  const replies: ((reply: ListReply) => void)[] = [];
  const raised: string[] = [];
  const events: RegistrarEvent[] = [];
  const traced: unknown[] = [];
  const noted: string[] = [];
  const shut = new Set<string>();
  /** Machines whose records are read by their id from now on. */
  const byId = new Set<string>();
  const wakers: ((tenantId: string) => void)[] = [];
  const partition = freshPartition({
    lease: createLease({ ended: new AbortController().signal } as Session),
  });
  const machineOf = ({ enrollment }: Work) => enrollment.details.machineName;
  const wake = () => {
    for (const each of wakers) each(contoso);
  };
  const core = {
    settings: { ...settings, listsPer20s },
    gate: {
      onOpening: (each: () => void) => void wakers.push(each),
      opensAtMs: (tenantId: string) => (shut.has(tenantId) ? Number.POSITIVE_INFINITY : 0),
      begin: (tenantId: string) => void noted.push(`begin ${tenantId}`),
      endRead(...end: string[]) {
        noted.push(`end ${end.join(" ")}`);
        wake();
      },
    },
    shown: { of: () => ({ form: { form: exactForm } }) },
    ports: {
      ...{ clock, random: () => 0, observe: (event: RegistrarEvent) => void events.push(event) },
      graph: {
        list(tenantId: string) {
          asked.push(tenantId);
          return new Promise<ListReply>((resolve) => void replies.push(resolve));
        },
      },
      ...(isTraced && {
        traces: {
          asked(request: object) {
            traced.push(request);
            return (all: unknown) => void traced.push(all);
          },
        },
      }),
    },
    raise(work: Work, event: LifeEvent) {
      raised.push(`${machineOf(work)} ${event.kind}`);
      work.stage = transition(work.stage, event, known).stage;
    },
  };
  const tenants = {
    block: (tenantId: string) => void noted.push(`block ${tenantId}`),
    unblockReads: (tenantId: string) => void noted.push(`unblock ${tenantId}`),
    blockedForMs: () => 0,
    closedUntilMs: () => 0,
    createsOfAll: () => 0,
  };
  const list = createReadList(core as unknown as Core, tenants, {
    take: (work) => byId.has(machineOf(work)),
  });
  return {
    ...{ clock, asked, raised, events, traced, noted, shut, byId, list, wake },
    /** Due at `nextReadAtMs`; absent counts from the start. */
    request(machine: string, { tenantId = contoso, nextReadAtMs = 0 } = {}) {
      const doubt = { ...ownDoubt, nextReadAtMs, absentAfterMs: 0, orphansUntilMs: 0 };
      const work = {
        ...{ partition, idempotencyKey: keyOf({ machine }), record: { offset: 7 } },
        enrollment: { tenantId, details: detailsOf({ machine }) },
        stage: stageOf("reading-back", { doubt }),
      } as unknown as Work;
      list.request(work);
      return work;
    },
    async answer(reply: ListReply = listed()) {
      replies.shift()!(reply);
      await rest();
    },
    seen: () => raised.splice(0),
  };
}
