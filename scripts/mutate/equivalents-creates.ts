/** Those of the parts that post, publish and judge creates, by file: see equivalents.ts. */
import type { Equivalent } from "./trial.ts";

const sameState = "The first and the last that is so are the same text.";
const onlyTime = "What is not remembered is worked out again: only speed.";
const decodedTwice = "To decode it once more says the same of it: only speed.";
const forSimulation = "The switch turns a defence off, for the simulation only.";

const byFile: Readonly<Record<string, readonly Omit<Equivalent, "file">[]>> = {
  "src/registrar/flow/adoption.ts": [
    {
      line: 'const known = sabotage.has("form-of-others") ? objects : knownOf(objects, claimed, peers);',
      change: 'conditional (sabotage.has("form-of-others")) -> conditional (false)',
      why: forSimulation,
    },
    {
      line: '.filter(({ id }) => sabotage.has("claimed-objects") || !claimed.has(id.toLowerCase())); // INV-ADOPTION',
      change:
        'sabotage.has("claimed-objects") || !claimed.has(id.toLowerCase()) -> !claimed.has(id.toLowerCase())',
      why: forSimulation,
    },
    {
      line: 'const unlabelled = sabotage.has("ids-of-others") ? free : free.filter(({ id }) => !isUuidV5(id)); // INV-ADOPTION',
      change: 'conditional (sabotage.has("ids-of-others")) -> conditional (false)',
      why: forSimulation,
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
  "src/registrar/flow/dispatcher.ts": [
    {
      line: "continue;",
      change: "continue; -> (removed)",
      why: "A review leaves nothing in the queue, so it is passed over a line below.",
    },
  ],
  "src/registrar/flow/gates.ts": [
    {
      line: 'return states.find((state) => state === "open") ?? states.find((state) => state === "probing") ?? "closed";',
      change: ".find -> .findLast",
      why: sameState,
    },
    {
      line: 'return states.find((state) => state === "open") ?? states.find((state) => state === "probing") ?? "closed";',
      change: ".find -> .findLast (2)",
      why: sameState,
    },
  ],
  "src/registrar/flow/doubt.ts": [
    {
      line: 'if (sabotage?.has("lists-alone")) return null;',
      change: 'if (sabotage?.has("lists-alone")) -> if (false)',
      why: forSimulation,
    },
  ],
  "src/registrar/flow/exchange.ts": [
    {
      line: 'const tenant = verdict.kind === "created" ? null : tenantNow(queue, work);',
      change: 'conditional (verdict.kind === "created") -> conditional (false)',
      why: "It only spares looking: nothing reads what is known of the tenant of one that was created.",
    },
  ],
  "src/registrar/flow/intake.ts": [
    {
      line: 'if (decoded.ok || decoded.refusal.code !== "tenant-not-allowed") return decoded;',
      change: 'if (decoded.ok || decoded.refusal.code !== "tenant-not-allowed") -> if (false)',
      why: decodedTwice,
    },
    {
      line: 'if (decoded.ok || decoded.refusal.code !== "tenant-not-allowed") return decoded;',
      change: 'decoded.ok || decoded.refusal.code !== "tenant-not-allowed" -> decoded.ok',
      why: decodedTwice,
    },
    {
      line: 'return ofAny.ok && !settings.sabotage?.has("unlisted-unread") ? ofAny : decoded; // INV-SERVED',
      change: 'ofAny.ok && !settings.sabotage?.has("unlisted-unread") -> ofAny.ok',
      why: forSimulation,
    },
    {
      line: 'lane: settings.sabotage?.has("machine-order") ? `${topic} ${record.offset}` : identity.lane,',
      change: 'conditional (settings.sabotage?.has("machine-order")) -> conditional (false)',
      why: forSimulation,
    },
    {
      line: "const isPlacedInDoubt = record.offset < partition.suspectsBelow[topic] || isInDoubt(record);",
      change:
        "record.offset < partition.suspectsBelow[topic] -> record.offset <= partition.suspectsBelow[topic]",
      why: forSimulation,
    },
    {
      line: "const isPlacedInDoubt = record.offset < partition.suspectsBelow[topic] || isInDoubt(record);",
      change:
        "record.offset < partition.suspectsBelow[topic] || isInDoubt(record) -> record.offset < partition.suspectsBelow[topic]",
      why: forSimulation,
    },
    {
      line: "const isPlacedInDoubt = record.offset < partition.suspectsBelow[topic] || isInDoubt(record);",
      change: "record.offset < partition.suspectsBelow[topic] || isInDoubt(record) -> isInDoubt(record)",
      why: forSimulation,
    },
    {
      line: 'const isOverlooked = settings.sabotage?.has("suspects-by-identity") && !isPlacedInDoubt;',
      change:
        'settings.sabotage?.has("suspects-by-identity") && !isPlacedInDoubt -> settings.sabotage?.has("suspects-by-identity")',
      why: forSimulation,
    },
    {
      line: 'const isOverlooked = settings.sabotage?.has("suspects-by-identity") && !isPlacedInDoubt;',
      change: "!isPlacedInDoubt -> isPlacedInDoubt",
      why: forSimulation,
    },
    {
      line: "if (isOverlooked) partition.doubts.delete(idempotencyKey);",
      change: "if (isOverlooked) -> if (false)",
      why: forSimulation,
    },
    {
      line: "if (homes.size >= homesMax) homes.clear();",
      change: "if (homes.size >= homesMax) -> if (true)",
      why: onlyTime,
    },
    {
      line: "homes.set(tenantId, home);",
      change: "homes.set(tenantId, home); -> (removed)",
      why: onlyTime,
    },
  ],
};

export const ofCreates: readonly Equivalent[] = Object.entries(byFile).flatMap(([file, entries]) =>
  entries.map((entry) => ({ file, ...entry })),
);
