/** Those of the core but for its ledger, by file: see equivalents.ts. */
import type { Equivalent } from "./trial.ts";

const byFile: Readonly<Record<string, readonly Omit<Equivalent, "file">[]>> = {
  "src/registrar/flow/appender.ts": [
    {
      line: "if (running || queue.length === 0 || clock.nowMs() < notBeforeMs) return;",
      change: "running || queue.length === 0 -> running",
      why: "With an empty queue a flush finds nothing to send.",
    },
    {
      line: "cancelWait();",
      change: "cancelWait(); -> (removed)",
      why: "A timer that is left over starts a flush, which sends only what may go anyway.",
    },
    {
      line: "if (length < manyRecords || queue.length >= recordsPerAppend || gathersMs <= 0) continue;",
      change:
        "length < manyRecords || queue.length >= recordsPerAppend || gathersMs <= 0 -> length < manyRecords || queue.length >= recordsPerAppend",
      why: "A wait of no time, instead of none.",
    },
    {
      line: "if (length < manyRecords || queue.length >= recordsPerAppend || gathersMs <= 0) continue;",
      change: "gathersMs <= 0 -> gathersMs < 0",
      why: "A wait of no time, instead of none.",
    },
    {
      line: "if (queue.length > 0) return waitThenStart(waitMs);",
      change: "if (queue.length > 0) -> if (true)",
      why: "With an empty queue the timer finds nothing to send.",
    },
    {
      line: "if (queue.length > 0) return waitThenStart(waitMs);",
      change: "queue.length > 0 -> queue.length >= 0",
      why: "With an empty queue the timer finds nothing to send.",
    },
    {
      line: 'if (answer === "no") gone.push(entry);',
      change: ".push -> .unshift",
      why: "In what order entries of lost partitions are dropped means nothing: nothing of them is stored.",
    },
  ],
  "src/registrar/ownership/committer.ts": [
    {
      line: "if (!finished && committing === null) schedule.at(atMs);",
      change: "!finished && committing === null -> committing === null",
      why: "What is planned after the end is caught where the commit begins.",
    },
    {
      line: "if (finished || lease === null) return;",
      change: "finished || lease === null -> lease === null",
      why: "After the end nothing is planned, and what was planned is cancelled.",
    },
    {
      line: "if (untilMs <= suspendedUntilMs) return;",
      change: "if (untilMs <= suspendedUntilMs) -> if (false)",
      why: "The end never comes earlier than the one before it; at the same moment the second timer finds nothing left to do.",
    },
    {
      line: "if (untilMs <= suspendedUntilMs) return;",
      change: "untilMs <= suspendedUntilMs -> untilMs < suspendedUntilMs",
      why: "Twice at the same moment: the second timer finds nothing left to do.",
    },
  ],
  "src/registrar/ownership/schedule.ts": [
    {
      line: "if (planned !== null && planned.atMs <= atMs) return;",
      change: "planned.atMs <= atMs -> planned.atMs < atMs",
      why: "Planned once more for the same moment.",
    },
  ],
  "src/registrar/flow/dispatcher.ts": [
    {
      line: "if (pumpPlanned) return;",
      change: "if (pumpPlanned) -> if (false)",
      why: "A pump more finds nothing to send.",
    },
    {
      line: "pumpPlanned = true;",
      change: "pumpPlanned = true; -> (removed)",
      why: "A pump more finds nothing to send.",
    },
    {
      line: "pumpPlanned = true;",
      change: "true -> false",
      why: "A pump more finds nothing to send.",
    },
  ],
  "src/registrar/flow/waiting-queues.ts": [
    {
      line: "held.clear();",
      change: "held.clear(); -> (removed)",
      why: "A queue that is called once more passes its turn if nothing of it is ready.",
    },
  ],
  "src/registrar/flow/gate.ts": [
    {
      line: "if (untilMs <= nowMs || timers.get(tenantId) === untilMs) return;",
      change: "untilMs <= nowMs -> untilMs < nowMs",
      why: "At that very moment all who wait are called anyway.",
    },
  ],
  "src/registrar/flow/intake.ts": [
    {
      line: "if (homes.size >= homesMax) homes.clear();",
      change: "if (homes.size >= homesMax) -> if (false)",
      why: "What is remembered can be worked out again: only memory changes.",
    },
    {
      line: 'const isHome = home === partition.number || settings.sabotage?.has("home-partition");',
      change:
        'home === partition.number || settings.sabotage?.has("home-partition") -> home === partition.number',
      why: "The switch turns a defence off, for the simulation only.",
    },
    {
      line: 'const isHome = home === partition.number || settings.sabotage?.has("home-partition");',
      change:
        'home === partition.number || settings.sabotage?.has("home-partition") -> home === partition.number',
      why: "The switch turns a defence off, for the simulation only.",
    },
  ],
  "src/registrar/flow/lanes.ts": [
    {
      line: "if (works?.size !== 0) return;",
      change: "if (works?.size !== 0) -> if (true)",
      why: "An empty set of a tenant's records says what none says.",
    },
    {
      line: "tenants.delete(tenantId);",
      change: "tenants.delete(tenantId); -> (removed)",
      why: "An empty set of a tenant's records says what none says.",
    },
  ],
  "src/registrar/flow/outcomes.ts": [
    {
      line: "if (!isAwaited || isUnseen) raise(work, arrived);",
      change: "!isAwaited || isUnseen -> !isAwaited",
      why: "The switch turns a defence off, for the simulation only.",
    },
    {
      line: 'if (unsettled.topic === "retry" && topic === "enrolled" && number === partition.number)',
      change: 'unsettled.topic === "retry" && topic === "enrolled" -> topic === "enrolled"',
      why: "A record of the enrolled topic came from its own place: the same is noted twice.",
    },
  ],
  "src/registrar/ownership/lease.ts": [
    {
      line: "if (lease.renewedAt === null || sentAt.monotonicMs > lease.renewedAt.monotonicMs) lease.renewedAt = sentAt; // 1, INV-LEASE",
      change:
        "sentAt.monotonicMs > lease.renewedAt.monotonicMs -> sentAt.monotonicMs >= lease.renewedAt.monotonicMs",
      why: "Two commits that were sent at the same moment renew it to the same moment.",
    },
  ],
  "src/registrar/flow/parker.ts": [
    {
      line: "if (!partition.refilling && partition.parking.tenants.size > 0) void takeUpWanted(partition);",
      change: "partition.parking.tenants.size > 0 -> partition.parking.tenants.size >= 0",
      why: "Without a tenant nothing is wanted.",
    },
    {
      line: "if (!partition.refilling && partition.parking.tenants.size > 0) void takeUpWanted(partition);",
      change: "!partition.refilling && partition.parking.tenants.size > 0 -> !partition.refilling",
      why: "Without a tenant nothing is wanted.",
    },
    {
      line: "return head !== undefined && hasFailed(head.stage) && nowMs - head.enteredAtMs > heldUpMs;",
      change: "nowMs - head.enteredAtMs > heldUpMs -> nowMs - head.enteredAtMs >= heldUpMs",
      why: "A full window is looked at again a quarter of a second later.",
    },
  ],
  "src/registrar/intake/parking.ts": [
    {
      line: "if (tenant.head >= 1024 || tenant.head === tenant.offsets.length) {",
      change: "tenant.head >= 1024 -> tenant.head > 1024",
      why: "When entries that are done are let go changes memory and time, nothing else.",
    },
    {
      line: "if (tenant.head >= 1024 || tenant.head === tenant.offsets.length) {",
      change: "if (tenant.head >= 1024 || tenant.head === tenant.offsets.length) -> if (true)",
      why: "When entries that are done are let go changes memory and time, nothing else.",
    },
    {
      line: "const slot = { offset, settled: false, tainted: false };",
      change: "false -> true",
      why: "Of slots in the retry topic nothing reads `settled`.",
    },
  ],
  "src/registrar/ownership/partition.ts": [
    {
      line: "else if (!doubt.isHonoured && limits.isHonoured) limits = { ...limits, isHonoured: false };",
      change: "!doubt.isHonoured && limits.isHonoured -> !doubt.isHonoured",
      why: "What is not honoured already stays so; the condition only spares a copy.",
    },
    {
      line: "const hasSuspects = parkedThrough(partition.parking) < suspectsBelow;",
      change:
        "parkedThrough(partition.parking) < suspectsBelow -> parkedThrough(partition.parking) <= suspectsBelow",
      why: "Where both are equal, so are the two values that are chosen from.",
    },
    {
      line: "return Math.max(parkedTaintedThrough(partition.parking), hasSuspects ? suspectsBelow : 0);",
      change: "conditional (hasSuspects) -> conditional (true)",
      why: "Without suspects, parkedTaintedThrough is not below suspectsBelow, and the greater one is taken.",
    },
  ],
  "src/registrar/flow/read-by-id.ts": [
    {
      line: "if (gate.opensAtMs(work.enrollment.tenantId) > nowMs) held.push(work);",
      change: ".push -> .unshift",
      why: "In what order objects are read means nothing.",
    },
    {
      line: "if (passed > 0) queue = [...held, ...queue.slice(passed)];",
      change: "if (passed > 0) -> if (true)",
      why: "The same queue, copied.",
    },
    {
      line: "if (passed > 0) queue = [...held, ...queue.slice(passed)];",
      change: "passed > 0 -> passed >= 0",
      why: "The same queue, copied.",
    },
  ],
  "src/registrar/status.ts": [
    {
      line: "if (partitions.length > 0 && ![...owned.values()].some((partition) => isHeld(partition, clock))) {",
      change: ".some -> .every",
      why: "While one is confirmed all that are owned are, under the lease of the one session: they are held together.",
    },
  ],
  "src/registrar/intake/window.ts": [
    {
      line: "if (window.head >= 1024 || window.head === window.slots.length) {",
      change: "window.head >= 1024 -> window.head > 1024",
      why: "When entries that are done are let go changes memory and time, nothing else.",
    },
    {
      line: "if (window.head >= 1024 || window.head === window.slots.length) {",
      change: "if (window.head >= 1024 || window.head === window.slots.length) -> if (true)",
      why: "When entries that are done are let go changes memory and time, nothing else.",
    },
  ],
};

export const ofRegistrar: readonly Equivalent[] = Object.entries(byFile).flatMap(([file, entries]) =>
  entries.map((entry) => ({ file, ...entry })),
);
