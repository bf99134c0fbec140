/** Those of src/registrar/flow, from adoption.ts to intake.ts. */
import type { EquivalentsByFile } from "../trial.ts";

export const ofFlowAToI: EquivalentsByFile = {
  "src/registrar/flow/adoption.ts": [
    {
      line: 'const known = sabotage.has("form-of-others") ? objects : knownOf(objects, claimed, peers);',
      change: 'conditional (sabotage.has("form-of-others")) -> conditional (false)',
      why: "The switch turns a defence off, for the simulation only.",
    },
    {
      line: '.filter(({ id }) => sabotage.has("claimed-objects") || !claimed.has(id.toLowerCase())); // INV-ADOPTION',
      change:
        'sabotage.has("claimed-objects") || !claimed.has(id.toLowerCase()) -> !claimed.has(id.toLowerCase())',
      why: "The switch turns a defence off, for the simulation only.",
    },
    {
      line: 'const unlabelled = sabotage.has("ids-of-others") ? free : free.filter(({ id }) => !isUuidV5(id)); // INV-ADOPTION',
      change: 'conditional (sabotage.has("ids-of-others")) -> conditional (false)',
      why: "The switch turns a defence off, for the simulation only.",
    },
    {
      line: 'if (unlabelled.length === 0) return { kind: "none" };',
      change: "if (unlabelled.length === 0) -> if (false)",
      why: "Without any of these none is possible, which says the same two lines below.",
    },
    {
      line: "return objects.toSorted((a, b) => (a.id < b.id ? -1 : 1));",
      change: "a.id < b.id -> a.id <= b.id",
      why: "What has the same id is the same object.",
    },
  ],
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
  "src/registrar/flow/dispatcher.ts": [
    {
      line: "continue;",
      change: "continue; -> (removed)",
      why: "A review leaves nothing in the queue, so it is passed over a line below.",
    },
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
    { line: "pumpPlanned = true;", change: "true -> false", why: "A pump more finds nothing to send." },
  ],
  "src/registrar/flow/doubt.ts": [
    {
      line: 'if (sabotage?.has("lists-alone")) return null;',
      change: 'if (sabotage?.has("lists-alone")) -> if (false)',
      why: "The switch turns a defence off, for the simulation only.",
    },
  ],
  "src/registrar/flow/exchange.ts": [
    {
      line: 'const tenant = verdict.kind === "created" ? null : tenantNow(queue, work);',
      change: 'conditional (verdict.kind === "created") -> conditional (false)',
      why: "It only spares looking: nothing reads what is known of the tenant of one that was created.",
    },
  ],
  "src/registrar/flow/gate.ts": [
    {
      line: "if (untilMs <= nowMs || timers.get(tenantId) === untilMs) return;",
      change: "untilMs <= nowMs -> untilMs < nowMs",
      why: "At that very moment all who wait are called anyway.",
    },
  ],
  "src/registrar/flow/gates.ts": [
    {
      line: 'return states.find((state) => state === "open") ?? states.find((state) => state === "probing") ?? "closed";',
      change: ".find -> .findLast",
      why: "The first and the last that is so are the same text.",
    },
    {
      line: 'return states.find((state) => state === "open") ?? states.find((state) => state === "probing") ?? "closed";',
      change: ".find -> .findLast (2)",
      why: "The first and the last that is so are the same text.",
    },
  ],
  "src/registrar/flow/intake.ts": [
    {
      line: 'if (decoded.ok || decoded.refusal.code !== "tenant-not-allowed") return decoded;',
      change: 'if (decoded.ok || decoded.refusal.code !== "tenant-not-allowed") -> if (false)',
      why: "To decode it once more says the same of it: only speed.",
    },
    {
      line: 'if (decoded.ok || decoded.refusal.code !== "tenant-not-allowed") return decoded;',
      change: 'decoded.ok || decoded.refusal.code !== "tenant-not-allowed" -> decoded.ok',
      why: "To decode it once more says the same of it: only speed.",
    },
    {
      line: 'return ofAny.ok && !settings.sabotage?.has("unlisted-unread") ? ofAny : decoded; // INV-SERVED',
      change: 'ofAny.ok && !settings.sabotage?.has("unlisted-unread") -> ofAny.ok',
      why: "The switch turns a defence off, for the simulation only.",
    },
    {
      line: 'lane: settings.sabotage?.has("machine-order") ? `${topic} ${record.offset}` : identity.lane,',
      change: 'conditional (settings.sabotage?.has("machine-order")) -> conditional (false)',
      why: "The switch turns a defence off, for the simulation only.",
    },
    {
      line: "const isPlacedInDoubt = record.offset < partition.suspectsBelow[topic] || isInDoubt(record);",
      change:
        "record.offset < partition.suspectsBelow[topic] -> record.offset <= partition.suspectsBelow[topic]",
      why: "The switch turns a defence off, for the simulation only.",
    },
    {
      line: "const isPlacedInDoubt = record.offset < partition.suspectsBelow[topic] || isInDoubt(record);",
      change:
        "record.offset < partition.suspectsBelow[topic] || isInDoubt(record) -> record.offset < partition.suspectsBelow[topic]",
      why: "The switch turns a defence off, for the simulation only.",
    },
    {
      line: "const isPlacedInDoubt = record.offset < partition.suspectsBelow[topic] || isInDoubt(record);",
      change: "record.offset < partition.suspectsBelow[topic] || isInDoubt(record) -> isInDoubt(record)",
      why: "The switch turns a defence off, for the simulation only.",
    },
    {
      line: 'const isOverlooked = settings.sabotage?.has("suspects-by-identity") && !isPlacedInDoubt;',
      change:
        'settings.sabotage?.has("suspects-by-identity") && !isPlacedInDoubt -> settings.sabotage?.has("suspects-by-identity")',
      why: "The switch turns a defence off, for the simulation only.",
    },
    {
      line: 'const isOverlooked = settings.sabotage?.has("suspects-by-identity") && !isPlacedInDoubt;',
      change: "!isPlacedInDoubt -> isPlacedInDoubt",
      why: "The switch turns a defence off, for the simulation only.",
    },
    {
      line: "if (isOverlooked) partition.doubts.delete(idempotencyKey);",
      change: "if (isOverlooked) -> if (false)",
      why: "The switch turns a defence off, for the simulation only.",
    },
    {
      line: "if (homes.size >= homesMax) homes.clear();",
      change: "if (homes.size >= homesMax) -> if (true)",
      why: "What is not remembered is worked out again: only speed.",
    },
    {
      line: "homes.set(tenantId, home);",
      change: "homes.set(tenantId, home); -> (removed)",
      why: "What is not remembered is worked out again: only speed.",
    },
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
    {
      line: "if (homes.size >= homesMax) homes.clear();",
      change: "homes.size >= homesMax -> homes.size > homesMax",
      why: "The cache holds one home more.",
    },
  ],
};
