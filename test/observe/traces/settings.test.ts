import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import { samplingOf } from "../../../src/observe/traces/sampling.ts";
import { tracesWanted } from "../../../src/observe/traces/wanted.ts";

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://localhost:4318" };
const isWanted = (environment: Record<string, string>) => tracesWanted(environment).wanted;

test("an address of a collector turns traces on, and nothing else does", () => {
  assert.equal(isWanted({}), false);
  assert.equal(isWanted({ OTEL_SERVICE_NAME: "x", OTEL_TRACES_SAMPLER: "always_on" }), false);
  assert.equal(isWanted({ OTEL_EXPORTER_OTLP_ENDPOINT: " " }), false);
  assert.equal(isWanted(endpoint), true);
  assert.equal(isWanted({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://collector/v1/traces" }), true);
});

test("OTEL_SDK_DISABLED and OTEL_TRACES_EXPORTER turn them off", () => {
  assert.equal(isWanted({ ...endpoint, OTEL_SDK_DISABLED: "TRUE" }), false);
  assert.equal(isWanted({ ...endpoint, OTEL_SDK_DISABLED: "false" }), true);
  assert.deepEqual(tracesWanted({ ...endpoint, OTEL_TRACES_EXPORTER: "none" }), {
    wanted: false,
    problem: null,
  });
});

test("what can't be followed turns them off, and is named with what to type", () => {
  const cases: readonly (readonly [Record<string, string>, RegExp])[] = [
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, /^OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" .*http\/protobuf/],
    [{ OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "http/json" }, /^OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: /],
    [{ OTEL_TRACES_EXPORTER: "zipkin" }, /^OTEL_TRACES_EXPORTER: "zipkin"/],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "localhost:4317" }, /^OTEL_EXPORTER_OTLP_ENDPOINT: is not an http/],
  ];
  for (const [more, message] of cases) {
    const { wanted, problem } = tracesWanted({ ...endpoint, ...more });
    assert.equal(wanted, false);
    assert.match(problem!.message, message);
    assert.match(problem!.fix, /^Type: export OTEL_/);
  }
});

const ids = Array.from({ length: 4_000 }, (_, i) => hash("sha256", String(i)).slice(0, 32));
const parent = (isSampled: boolean) => ({ traceId: ids[0]!, spanId: "00f067aa0ba902b7", isSampled });

test("samplers by their names: all, none, a share, and what the request before has decided", () => {
  const share = (sampler: Record<string, string>) => {
    const { isSampled } = samplingOf(sampler);
    return ids.filter((id) => isSampled(id, null)).length / ids.length;
  };
  assert.equal(share({}), 1);
  assert.equal(share({ OTEL_TRACES_SAMPLER: "always_off" }), 0);
  const some = share({ OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.25" });
  assert.ok(some > 0.15 && some < 0.35, String(some));
  const off = samplingOf({ OTEL_TRACES_SAMPLER: "parentbased_always_off" }).isSampled;
  assert.equal(off(ids[0]!, parent(true)), true);
  assert.equal(off(ids[0]!, parent(false)), false);
  assert.equal(samplingOf({ OTEL_TRACES_SAMPLER: "always_on" }).isSampled(ids[0]!, parent(false)), true);
});

test("a sampler that is not known, and a share that is none, are said", () => {
  assert.match(
    samplingOf({ OTEL_TRACES_SAMPLER: "jaeger_remote" }).warning!,
    /jaeger_remote.*parentbased_always_on/,
  );
  const { warning } = samplingOf({ OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "two" });
  assert.match(warning!, /OTEL_TRACES_SAMPLER_ARG: "two"/);
  assert.equal(samplingOf({ OTEL_TRACES_SAMPLER: "traceidratio" }).warning, null);
});
