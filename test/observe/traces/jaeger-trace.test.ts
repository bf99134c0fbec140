/** docs/traces.svg, of the trace that a real Jaeger answered. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { traceparent } from "../../../lab/testkit/samples.ts";
import { type DrawnSpan, draw } from "./drawing.ts";
import { spansOfJaeger } from "./jaeger-trace.ts";

const answer = JSON.parse(readFileSync(join(import.meta.dirname, "jaeger-trace.json"), "utf8"));
const spans = spansOfJaeger(answer);
const named = (name: string) => spans.filter((span) => span.name === name);
const statusOf = ({ attributes }: DrawnSpan) => attributes["http.response.status_code"];

test("what Jaeger answers is read: kinds, parents, links, times, errors", () => {
  const [process] = named("process connector.enrolled");
  const [send] = named("send connector.registered");
  assert.deepEqual([process!.kind, process!.parentSpanId, process!.statusCode], [5, "", 0]);
  assert.deepEqual(process!.links, [
    { traceId: traceparent.slice(3, 35), spanId: traceparent.slice(36, 52) },
  ]);
  assert.deepEqual([send!.kind, send!.parentSpanId, send!.traceId], [4, process!.spanId, process!.traceId]);
  assert.ok(spans.every(({ startNs, endNs }) => process!.startNs <= startNs && endNs <= process!.endNs));
  const creates = named("create").toSorted((a, b) => Number(a.startNs - b.startNs));
  assert.ok(creates.every(({ kind, statusCode }) => kind === 3 && statusCode === 2));
  assert.equal(statusOf(creates[0]!), 429);
  assert.equal(creates.at(-1)!.attributes["error.type"], "reset");
  assert.ok(
    named("read list")
      .concat(named("read by id"))
      .some((read) => statusOf(read) === 200),
  );
});

test("the picture in the docs is drawn of that trace", () => {
  const picture = readFileSync(join(import.meta.dirname, "../../../docs/traces.svg"), "utf8");
  assert.equal(picture, draw(spans));
  for (const { name } of spans) assert.ok(picture.includes(`>${name}</text>`));
});

test("what stands in a trace is text in the picture, not markup", () => {
  const [first] = spans;
  const picture = draw([{ ...first!, name: "a <b> & c" }]);
  assert.ok(picture.includes(">a &lt;b> &amp; c</text>"));
});
