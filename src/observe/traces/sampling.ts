/** OTEL_TRACES_SAMPLER: which traces are recorded. The ratio is the SDK's, so that every program decides alike about one trace. */
import { ROOT_CONTEXT, SamplingDecision } from "@opentelemetry/api";
import { TraceIdRatioBasedSampler } from "@opentelemetry/sdk-trace";
import type { IsSampled } from "./tracer.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export type Sampling = { readonly isSampled: IsSampled; readonly warning: string | null };

const names = ["always_on", "always_off", "traceidratio"] as const;
const parentBased = "parentbased_";

/** `warning`: what is set is none of these; the default is used, as the specification says. */
export function samplingOf({
  OTEL_TRACES_SAMPLER: given,
  OTEL_TRACES_SAMPLER_ARG: argument,
}: Environment): Sampling {
  const text = given?.trim() || "parentbased_always_on";
  const followsParent = text.startsWith(parentBased);
  const name = names.find((each) => each === (followsParent ? text.slice(parentBased.length) : text));
  const ratio = ratioOf(argument);
  const known = name ?? "always_on";
  const ofRoot = known === "traceidratio" ? byRatio(ratio ?? 1) : () => known === "always_on";
  const isSampled: IsSampled =
    followsParent || name === undefined
      ? (traceId, parent) => (parent === null ? ofRoot(traceId) : parent.isSampled)
      : ofRoot;
  if (name === undefined)
    return {
      isSampled,
      warning: `OTEL_TRACES_SAMPLER: ${JSON.stringify(text)} is not known, parentbased_always_on is used`,
    };
  if (known === "traceidratio" && ratio === null && argument?.trim())
    return {
      isSampled,
      warning: `OTEL_TRACES_SAMPLER_ARG: ${JSON.stringify(argument)} is not a number from 0 to 1, 1 is used`,
    };
  return { isSampled, warning: null };
}

function byRatio(ratio: number): (traceId: string) => boolean {
  if (ratio === 1) return () => true;
  const sampler = new TraceIdRatioBasedSampler(ratio);
  return (traceId) => sampler.shouldSample(ROOT_CONTEXT, traceId).decision !== SamplingDecision.NOT_RECORD;
}

function ratioOf(text: string | undefined): number | null {
  const ratio = text?.trim() ? Number(text) : Number.NaN;
  return ratio >= 0 && ratio <= 1 ? ratio : null;
}
