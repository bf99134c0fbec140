/**
 * Whether traces are wanted, by OpenTelemetry's own environment variables. This file alone is always loaded: all else of tracing
 * only where this says yes.
 */
import type { Problem } from "../../problem.ts";

export type TracesWanted = { readonly wanted: boolean; readonly problem: Problem | null };

type Environment = Readonly<Record<string, string | undefined>>;

const no: TracesWanted = { wanted: false, problem: null };
/** As in the specification, where the one of traces goes first. */
const endpointVariables = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"] as const;
const protocolVariables = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"] as const;
const protocol = "http/protobuf";

/** `problem`: what is set and can't be followed; then nothing is traced, and all else works. */
export function tracesWanted(environment: Environment): TracesWanted {
  const endpoint = firstSet(environment, endpointVariables);
  if (endpoint === null || environment.OTEL_SDK_DISABLED?.trim().toLowerCase() === "true") return no;
  const exporter = environment.OTEL_TRACES_EXPORTER?.trim() || "otlp";
  if (exporter === "none") return no;
  if (exporter !== "otlp")
    return refused(
      "OTEL_TRACES_EXPORTER",
      `${JSON.stringify(exporter)} is not among what is exported to: otlp, none.`,
      "otlp",
    );
  const spoken = firstSet(environment, protocolVariables);
  if (spoken !== null && spoken.value !== protocol)
    return refused(
      spoken.name,
      `${JSON.stringify(spoken.value)} is not spoken here; ${protocol} is, mostly on port 4318.`,
      protocol,
    );
  if (!isHttpUrl(endpoint.value))
    return refused(endpoint.name, "is not an http or https address.", "http://localhost:4318");
  return { wanted: true, problem: null };
}

function refused(name: string, what: string, example: string): TracesWanted {
  const fix = `Type: export ${name}=${example}, or unset ${name}`;
  return {
    wanted: false,
    problem: { code: "traces-settings", message: `${name}: ${what} Nothing is traced.`, fix },
  };
}

function firstSet(
  environment: Environment,
  names: readonly string[],
): { name: string; value: string } | null {
  for (const name of names) {
    const value = environment[name]?.trim();
    if (value) return { name, value };
  }
  return null;
}

function isHttpUrl(text: string): boolean {
  return ["http:", "https:"].includes(URL.parse(text)?.protocol ?? "");
}
