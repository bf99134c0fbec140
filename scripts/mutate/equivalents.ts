/**
 * Mutants that no test can notice, because the changed program does the same wherever it matters. An entry that no
 * longer names a mutant is an error, so this list can't outlive the code.
 */
import { ofCreates } from "./equivalents-creates.ts";
import { ofLedger } from "./equivalents-ledger.ts";
import { ofOwnership } from "./equivalents-ownership.ts";
import { ofPolicy } from "./equivalents-policy.ts";
import { ofRegistrar } from "./equivalents-registrar.ts";
import { ofWaiting } from "./equivalents-waiting.ts";
import type { Equivalent } from "./trial.ts";

export const equivalents: readonly Equivalent[] = [
  ...ofCreates,
  ...ofWaiting,
  ...ofLedger,
  ...ofOwnership,
  ...ofPolicy,
  ...ofRegistrar,
  {
    file: "src/graph/answer.ts",
    line: "return undefined;",
    change: "return undefined; -> (removed)",
    why: "A function that ends without a return gives undefined.",
  },
  {
    file: "src/graph/answer.ts",
    line: "const value = headers[name] ?? headers[nameInAnyCase(headers, name)];",
    change: "headers[name] ?? headers[nameInAnyCase(headers, name)] -> headers[nameInAnyCase(headers, name)]",
    why: "It only spares the search: the name in lower case is found by that too.",
  },
  {
    file: "src/graph/answer.ts",
    line: "for (const other in headers) if (other.length === name.length && other.toLowerCase() === name) return other;",
    change: "other.length === name.length && other.toLowerCase() === name -> other.toLowerCase() === name",
    why: "It only spares the conversion: names of headers are ASCII, whose length does not depend on case.",
  },
  {
    file: "src/graph/answer.ts",
    line: "const isGraphs = status < 300 ? isObject(body) : isObject(body) && body.error !== undefined;",
    change: "status < 300 -> status <= 300",
    why: "300 to 399 are handled before.",
  },
  {
    file: "src/graph/answer.ts",
    line: 'const key = Object.keys(error).find((name) => name.toLowerCase() === "innererror");',
    change: ".find -> .findLast",
    why: "An error has one such member: Graph writes either innerError or innererror.",
  },
  {
    file: "src/log/kafka/produce/producer.ts",
    line: "return answers.find(({ topic, partition }) => topic === queue.topic && partition === queue.partition);",
    change: ".find -> .findLast",
    why: "A request holds one batch of a partition, so there is one answer at most.",
  },
  {
    file: "src/log/kafka/produce/producer.ts",
    line: "if (!answer || isAgain(this.#handleAnswer(queue, batch, answer))) again.push(queue);",
    change: ".push -> .unshift",
    why: "All of them wait for the same moment; their order means nothing.",
  },
  {
    file: "src/log/kafka/produce/producer.ts",
    line: "...answered.filter((one) => !isStored(one)),",
    change: "answered.filter((one) => !isStored(one)) -> answered",
    why: "A stored batch is no longer its queue's when it comes a second time, and is passed over.",
  },
  {
    file: "src/registrar/flow/intake.ts",
    line: "if (homes.size >= homesMax) homes.clear();",
    change: "homes.size >= homesMax -> homes.size > homesMax",
    why: "The cache holds one home more.",
  },
  {
    file: "src/registrar/flow/outcomes.ts",
    line: 'const isUnseen = settings.sabotage?.has("parked-unseen") ?? false;',
    change: 'settings.sabotage?.has("parked-unseen") ?? false -> settings.sabotage?.has("parked-unseen")',
    why: "Undefined counts as false.",
  },
  {
    file: "src/registrar/flow/waiting-queues.ts",
    line: "if (head >= spentMax || head === waiting.length) {",
    change: "head >= spentMax || head === waiting.length -> head >= spentMax",
    why: "What was taken is cut off later: the head says where the rest begins.",
  },
  {
    file: "src/policy/pacing.ts",
    line: "let over = pacing.limit === 0 ? -1 : pacing.takenCount - pacing.limit;",
    change: "conditional (pacing.limit === 0) -> conditional (false)",
    why: "Less than nothing is never left of what was taken, so without a limit it opens now either way.",
  },
  {
    file: "src/policy/pacing.ts",
    line: "if (gone > 0) pacing.taken.splice(0, gone);",
    change: "if (gone > 0) -> if (true)",
    why: "To take out none changes nothing; the condition only spares the call.",
  },
  {
    file: "src/policy/pacing.ts",
    line: "if (gone > 0) pacing.taken.splice(0, gone);",
    change: "gone > 0 -> gone >= 0",
    why: "To take out none changes nothing; the condition only spares the call.",
  },
];
