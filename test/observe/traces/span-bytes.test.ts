import assert from "node:assert/strict";
import { test } from "node:test";
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from "@opentelemetry/api";
import { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { type ReadableSpan, TracerProvider } from "@opentelemetry/sdk-trace";
import * as stable from "@opentelemetry/semantic-conventions";
import * as incubating from "@opentelemetry/semantic-conventions/incubating";
import { conventional, conventionsVersion, schemaUrl } from "../../../src/observe/traces/names.ts";
import { keyOf } from "../../../src/observe/traces/protobuf.ts";
import { eventsMax, type Span, spanKinds, valueMax } from "../../../src/observe/traces/span.ts";
import {
  fixedAttributes,
  requestBytes,
  resourceBytes,
  scopeBytes,
  spanBytesMax,
  writeSpan,
} from "../../../src/observe/traces/span-bytes.ts";
import { readRequest } from "./otlp-reader.ts";

const startMs = 1_795_000_000_123.456;
const linked = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };
const span: Span = {
  traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
  spanId: "00f067aa0ba902b7",
  parentSpanId: "1111111111111111",
  name: "process connector.enrolled",
  kind: spanKinds.consumer,
  startMs,
  endMs: startMs + 1_500.25,
  fixed: fixedAttributes([[keyOf("messaging.system.name"), "kafka"]]),
  attributes: [
    [keyOf("kafka.offset"), Number.MAX_SAFE_INTEGER],
    [keyOf("zero"), 0],
    [keyOf("text"), "Zürich \u{1f512}"],
    [keyOf("empty"), ""],
    [keyOf("long"), "x".repeat(200)],
  ],
  links: [linked],
  events: [{ name: "attempt failed", atMs: startMs + 1, attributes: [[keyOf("verdict"), "throttled"]] }],
  hasFailed: true,
};
const frame = {
  resource: resourceBytes({ "service.name": "connector-registrar" }),
  scope: scopeBytes("s", "1"),
  schemaUrl,
};

function bytesOf(...spans: readonly Span[]): Buffer {
  const buffer = Buffer.alloc(spanBytesMax * spans.length);
  let at = 0;
  for (const each of spans) at = writeSpan(buffer, at, each);
  return requestBytes(buffer.subarray(0, at), frame);
}

const readOf = (each: Span) => readRequest(bytesOf(each)).spans[0]!;

test("a span says what the SDK's own serializer says of the same span", () => {
  const ended: ReadableSpan[] = [];
  const ids = { generateTraceId: () => span.traceId, generateSpanId: () => span.spanId };
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ "service.name": "connector-registrar" }),
    idGenerator: ids,
    spanProcessors: [
      {
        onStart() {},
        onEnd: (each) => void ended.push(each),
        forceFlush: async () => {},
        shutdown: async () => {},
      },
    ],
  });
  const tracer = provider.getTracer("s", "1", { schemaUrl });
  const parent = { traceId: span.traceId, spanId: span.parentSpanId, traceFlags: TraceFlags.SAMPLED };
  const attributes = { "messaging.system.name": "kafka" };
  const toHr = (ms: number): [number, number] => [
    Math.floor(ms / 1000),
    Math.round((ms % 1000) * 1000) * 1000,
  ];
  const theirs = tracer.startSpan(
    span.name,
    {
      kind: SpanKind.CONSUMER,
      startTime: toHr(span.startMs),
      attributes: {
        ...attributes,
        ...Object.fromEntries(span.attributes.map(([{ name }, value]) => [name, value])),
      },
      links: [{ context: { ...linked, traceFlags: TraceFlags.SAMPLED } }],
    },
    trace.setSpanContext(ROOT_CONTEXT, parent),
  );
  theirs.addEvent("attempt failed", { verdict: "throttled" }, toHr(startMs + 1));
  theirs.setStatus({ code: SpanStatusCode.ERROR });
  theirs.end(toHr(span.endMs));
  const expected = readRequest(ProtobufTraceSerializer.serializeRequest(ended)!);
  const mine = readRequest(bytesOf(span));
  assert.deepEqual(mine.spans, expected.spans);
  assert.deepEqual(mine.resource, expected.resource);
  assert.deepEqual(mine.scope, expected.scope);
  assert.equal(mine.schemaUrls[1], expected.schemaUrls[1]);
});

test("what is longest in every part still fits the room that is kept for a span", () => {
  const wide = "\u{ffff}".repeat(valueMax * 2);
  const attributes = Array.from(
    { length: 12 },
    (_, i) => [keyOf(`key.${i}`), wide] as [ReturnType<typeof keyOf>, string],
  );
  const events = Array.from({ length: 40 }, () => ({
    name: "attempt failed",
    atMs: startMs,
    attributes: attributes.slice(0, 1),
  }));
  const links = Array.from({ length: 40 }, () => linked);
  const largest: Span = { ...span, attributes, events, links };
  const read = readOf(largest);
  assert.equal(String(read.attributes["key.11"]).length, valueMax);
  assert.equal(read.events.length, eventsMax);
  assert.equal(read.links.length, 4);
  assert.ok(bytesOf(largest).length < spanBytesMax);
});

test("spans stand one behind the other, and a first span has no parent", () => {
  const { spans } = readRequest(
    bytesOf({ ...span, parentSpanId: "", links: [], events: [], hasFailed: false }, span),
  );
  assert.deepEqual(
    spans.map(({ parentSpanId, statusCode }) => [parentSpanId, statusCode]),
    [
      ["", 0],
      [span.parentSpanId, 2],
    ],
  );
});

test("times are exact to the microsecond over the whole of the century", () => {
  for (const ms of [0, 0.001, 1_795_000_000_123.456, 4_102_444_799_999.999]) {
    const { startNs } = readOf({ ...span, startMs: ms });
    assert.equal(startNs, BigInt(Math.round(ms * 1000)) * 1000n, String(ms));
  }
});

test("each name is one of the semantic conventions of the version that is named, and none that they have given up", () => {
  const packages: readonly object[] = [stable, incubating];
  const known = new Set<unknown>(packages.flatMap((each) => Object.values(each)));
  const ofHeaders = /^http\.(request|response)\.header\.[a-z-]+$/;
  const gone = ["messaging.system", "messaging.kafka.offset", "messaging.operation", "http.status_code"];
  const names = Object.values(conventional).map(({ name }) => name);
  assert.deepEqual(
    names.filter((name) => !known.has(name) && !ofHeaders.test(name)),
    [],
  );
  assert.deepEqual(
    names.filter((name) => gone.includes(name)),
    [],
  );
  assert.ok(schemaUrl.endsWith(conventionsVersion));
});
