/** Those of what is mutated beside src/registrar. */
import type { EquivalentsByFile } from "../trial.ts";

export const ofOutside: EquivalentsByFile = {
  "src/graph/answer.ts": [
    {
      line: "return undefined;",
      change: "return undefined; -> (removed)",
      why: "A function that ends without a return gives undefined.",
    },
    {
      line: "const value = headers[name] ?? headers[nameInAnyCase(headers, name)];",
      change:
        "headers[name] ?? headers[nameInAnyCase(headers, name)] -> headers[nameInAnyCase(headers, name)]",
      why: "It only spares the search: the name in lower case is found by that too.",
    },
    {
      line: "for (const other in headers) if (other.length === name.length && other.toLowerCase() === name) return other;",
      change: "other.length === name.length && other.toLowerCase() === name -> other.toLowerCase() === name",
      why: "It only spares the conversion: names of headers are ASCII, whose length does not depend on case.",
    },
    {
      line: "const isGraphs = status < 300 ? isObject(body) : isObject(body) && body.error !== undefined;",
      change: "status < 300 -> status <= 300",
      why: "300 to 399 are handled before.",
    },
    {
      line: 'const key = Object.keys(error).find((name) => name.toLowerCase() === "innererror");',
      change: ".find -> .findLast",
      why: "An error has one such member: Graph writes either innerError or innererror.",
    },
  ],
  "src/log/kafka/produce/producer.ts": [
    {
      line: "return answers.find(({ topic, partition }) => topic === queue.topic && partition === queue.partition);",
      change: ".find -> .findLast",
      why: "A request holds one batch of a partition, so there is one answer at most.",
    },
    {
      line: "if (!answer || isAgain(this.#handleAnswer(queue, batch, answer))) again.push(queue);",
      change: ".push -> .unshift",
      why: "All of them wait for the same moment; their order means nothing.",
    },
    {
      line: "...answered.filter((one) => !isStored(one)),",
      change: "answered.filter((one) => !isStored(one)) -> answered",
      why: "A stored batch is no longer its queue's when it comes a second time, and is passed over.",
    },
  ],
  "src/policy/classify.ts": [
    {
      line: 'if (status >= 400) return unknown("failure");',
      change: "status >= 400 -> status > 400",
      why: "400 was handled before.",
    },
    {
      line: "if (status >= 400 && status < 500) return !ownStatuses.some((statuses) => statuses.has(status));",
      change: "status >= 400 -> status > 400",
      why: "400 is none of those that a gateway answers either.",
    },
    {
      line: "return status >= 300 && status < 400;",
      change: "status < 400 -> status <= 400",
      why: "400 was handled before.",
    },
  ],
  "src/policy/pacing.ts": [
    {
      line: "if (limit === pacing.limitMax) return;",
      change: "if (limit === pacing.limitMax) -> if (false)",
      why: "The same limit again: what was learned is lower, and stays; where nothing was, it is the same.",
    },
    {
      line: "let over = pacing.limit === 0 ? -1 : pacing.takenCount - pacing.limit;",
      change: "conditional (pacing.limit === 0) -> conditional (false)",
      why: "Less than nothing is never left of what was taken, so without a limit it opens now either way.",
    },
    {
      line: "if (gone > 0) pacing.taken.splice(0, gone);",
      change: "if (gone > 0) -> if (true)",
      why: "To take out none changes nothing; the condition only spares the call.",
    },
    {
      line: "if (gone > 0) pacing.taken.splice(0, gone);",
      change: "gone > 0 -> gone >= 0",
      why: "To take out none changes nothing; the condition only spares the call.",
    },
  ],
};
