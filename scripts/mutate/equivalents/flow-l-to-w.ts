/** Those of src/registrar/flow, from lanes.ts to waiting-queues.ts. */
import type { EquivalentsByFile } from "../trial.ts";

export const ofFlowLToW: EquivalentsByFile = {
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
    {
      line: 'const isUnseen = settings.sabotage?.has("parked-unseen") ?? false;',
      change: 'settings.sabotage?.has("parked-unseen") ?? false -> settings.sabotage?.has("parked-unseen")',
      why: "Undefined counts as false.",
    },
  ],
  "src/registrar/flow/parker.ts": [
    {
      line: "const lane = isSlowNow || hasFailed(stage) ? (partition.lanes.get(name) ?? []) : [];",
      change: "conditional (isSlowNow || hasFailed(stage)) -> conditional (true)",
      why: "A lane whose head has failed is found by that head, which came before the others of it.",
    },
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
  "src/registrar/flow/reader.ts": [
    {
      line: "if (again === undefined || !isCurrent(again, under)) return false;",
      change: "false -> true",
      why: "The loop ends with its next look: the partition is not owned, or must not be read.",
    },
  ],
  "src/registrar/flow/transition.ts": [
    {
      line: "const life = stage.doubt === doubt ? stage : withDoubt(stage, doubt);",
      change: "conditional (stage.doubt === doubt) -> conditional (false)",
      why: "It only spares a copy: the two are equal.",
    },
  ],
  "src/registrar/flow/troubled-places.ts": [
    {
      line: "if (isTrying || places.size === 0 || clock.nowMs() < notBeforeMs) return;",
      change: "isTrying || places.size === 0 -> isTrying",
      why: "Without a place there is nothing to try.",
    },
  ],
  "src/registrar/flow/turns.ts": [
    {
      line: "isRegistered: isKnown ?? isRegistered(partition.ledger, idempotencyKey),",
      change:
        "isKnown ?? isRegistered(partition.ledger, idempotencyKey) -> isRegistered(partition.ledger, idempotencyKey)",
      why: "What is known was looked up there in the same turn: it only spares to look twice.",
    },
  ],
  "src/registrar/flow/waiting-queues.ts": [
    {
      line: "if (head >= spentMax || head === waiting.length) {",
      change: "head >= spentMax -> head > spentMax",
      why: "When entries that were taken are let go changes memory and time, nothing else.",
    },
    {
      line: "if (head >= spentMax || head === waiting.length) {",
      change: "if (head >= spentMax || head === waiting.length) -> if (true)",
      why: "When entries that were taken are let go changes memory and time, nothing else.",
    },
    {
      line: "if (head >= spentMax || head === waiting.length) {",
      change: "head === waiting.length -> head !== waiting.length",
      why: "When entries that were taken are let go changes memory and time, nothing else.",
    },
    {
      line: "held.clear();",
      change: "held.clear(); -> (removed)",
      why: "A queue that is called once more passes its turn if nothing of it is ready.",
    },
    {
      line: "if (head >= spentMax || head === waiting.length) {",
      change: "head >= spentMax || head === waiting.length -> head >= spentMax",
      why: "What was taken is cut off later: the head says where the rest begins.",
    },
  ],
};
