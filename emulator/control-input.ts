/** Checks what the control endpoint is given: unknown names and values out of range are refused, by JSON pointer. */

import Type from "typebox";
import { Compile } from "typebox/compile";
import {
  type FaultProfile,
  type Faults,
  faultKinds,
  faultProfile,
  faultProfileNames,
  probabilitySum,
} from "./faults.ts";
import { closed, optional, problemIn } from "./input.ts";
import { normalisations } from "./normalise.ts";
import type { Checked } from "./resource.ts";
import { type GraphBehaviour, listForms, outages } from "./settings.ts";
import { documentedLimits } from "./throttle.ts";

const longestMs = 86_400_000;
const milliseconds = Type.Number({ minimum: 0, maximum: longestMs });
const count = Type.Integer({ minimum: 1, maximum: 1_000_000 });
const oneOf = (...values: string[]) => Type.Enum(values);

const latency = Type.Union([
  Type.Object({ kind: Type.Literal("fixed"), ms: milliseconds }, closed),
  Type.Object({ kind: Type.Literal("uniform"), minMs: milliseconds, maxMs: milliseconds }, closed),
  Type.Object(
    {
      kind: Type.Literal("lognormal"),
      medianMs: milliseconds,
      sigma: Type.Number({ minimum: 0, maximum: 5 }),
    },
    closed,
  ),
]);

const probability = Type.Number({ minimum: 0, maximum: 1 });
const faultsInput = Compile(
  Type.Object(
    {
      ...optional(Object.fromEntries(faultKinds.map((kind) => [kind, probability]))),
      ...optional({
        profile: oneOf(...faultProfileNames),
        latency,
        slowMs: milliseconds,
        retryAfterMs: milliseconds,
        effectAfterHangUp: Type.Boolean(),
      }),
    },
    closed,
  ),
);

const limits = Type.Object(
  optional({
    windowMs: milliseconds,
    writesPerAppAndTenant: count,
    writesPerTenant: count,
    requestsPerAppAndTenant: count,
    requestsPerTenant: count,
    globalWindowMs: milliseconds,
    requestsPerApp: count,
  }),
  closed,
);

const block = Type.Union([
  oneOf("unauthorized", "forbidden", "no-licence"),
  Type.Object(
    { status: Type.Integer({ minimum: 400, maximum: 599 }), code: Type.String(), message: Type.String() },
    closed,
  ),
]);

const behaviourInput = Compile(
  Type.Object(
    optional({
      idMode: oneOf("honour", "ignore", "refuse"),
      throttle: Type.Union([Type.Null(), limits]),
      retryAfter: oneOf("seconds", "fractional", "http-date", "absent"),
      blocks: Type.Record(Type.String(), block),
      outage: oneOf(...outages),
      route: oneOf("present", "missing", "create-missing"),
      permission: oneOf("read-write", "read", "none"),
      listLagMs: milliseconds,
      pageSize: Type.Integer({ minimum: 1, maximum: 1_000 }),
      wrapEntity: Type.Boolean(),
      normalise: Type.Array(oneOf(...normalisations), { uniqueItems: true }),
      listForm: oneOf(...listForms),
      queryOptions: Type.Boolean(),
    }),
    closed,
  ),
);

/** The whole of the faults: `profile` (default none), and on top of it what else is given. */
export function readFaults(input: unknown): Checked<Faults> {
  const problem = problemIn(faultsInput, input);
  if (problem !== null) return { ok: false, message: problem };
  const { profile = "none", ...given } = input as Partial<Faults> & { profile?: FaultProfile };
  const faults = { ...faultProfile(profile), ...given };
  // Room for the rounding of sums such as 0.1 + 0.2.
  if (probabilitySum(faults) > 1 + 1e-9) {
    return { ok: false, message: "Not taken: the probabilities that are drawn together sum to more than 1." };
  }
  return { ok: true, value: faults };
}

/** A setting that is not given stays unchanged; limits of `throttle` that are not given are the documented ones. */
export function readBehaviour(current: GraphBehaviour, input: unknown): Checked<GraphBehaviour> {
  const problem = problemIn(behaviourInput, input);
  if (problem !== null) return { ok: false, message: problem };
  const given = input as Partial<GraphBehaviour>;
  const throttle = given.throttle ? { ...documentedLimits, ...given.throttle } : given.throttle;
  return {
    ok: true,
    value: { ...current, ...given, throttle: throttle === undefined ? current.throttle : throttle },
  };
}
