import assert from "node:assert/strict";
import { test } from "node:test";
import { adviceOf } from "../../../src/observe/traces/advice.ts";

test("an address that is wrong in a usual way: what to type", () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ["http://jaeger:4317/v1/traces", "HPE_INVALID_CONSTANT", /gRPC.*export OTEL_\w+=http:\/\/jaeger:4318$/],
    ["http://jaeger:4317/v1/traces", "ECONNRESET", /gRPC/],
    ["http://jaeger:24317/v1/traces", "HPE_INVALID_CONSTANT", /gRPC/],
    ["https://jaeger:4318/v1/traces", "EPROTO", /^jaeger:4318 speaks no TLS.*http:\/\//],
    ["https://jaeger/v1/traces", "SELF_SIGNED_CERT_IN_CHAIN", /export OTEL_EXPORTER_OTLP_CERTIFICATE=/],
    ["http://jaeger:4318/v1/traces/v1/traces", "HTTP 404", /is added to OTEL_EXPORTER_OTLP_ENDPOINT/],
    ["http://jaeger:4318/", "HTTP 404", /OTEL_EXPORTER_OTLP_TRACES_ENDPOINT .* ends in \/v1\/traces$/],
    ["http://jaeger:16686/v1/traces", "HTTP 405", /port 4318/],
    ["http://jaeger:16686/v1/traces", "HTTP 200 with a page of HTML", /port 4318.*jaeger:4318$/],
  ];
  for (const [url, reason, advice] of cases) assert.match(adviceOf(url, reason) ?? "", advice, url);
});

test("what passes by itself gets no advice", () => {
  for (const reason of ["ECONNREFUSED", "HTTP 503", "no answer within 10000 ms"])
    assert.equal(adviceOf("http://jaeger:4318/v1/traces", reason), null);
});
