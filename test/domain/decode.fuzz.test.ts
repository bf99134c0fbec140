/** Bytes from hell: FUZZ_RUNS of them (default 20,000), in thirds. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import Schema from "typebox/schema";
import {
  binaryHeaders,
  bytes,
  documentedDetails,
  json,
  sampleAttributes,
  sampleEvent,
  structuredHeaders,
} from "../../lab/testkit/samples.ts";
import { decode } from "../../src/domain/decode.ts";
import type { Header } from "../../src/ports.ts";
import { oracleTicks } from "./date-time-oracle.ts";

const fuzzRuns = Number(process.env.FUZZ_RUNS ?? 20_000);
assert.ok(Number.isInteger(fuzzRuns) && fuzzRuns >= 3, "FUZZ_RUNS must be a whole number, 3 or more");
const third = { numRuns: Math.ceil(fuzzRuns / 3) };

/** Pinned: `replay` and alerts select by them. */
const codes = new Set(
  `value-empty value-too-large value-not-utf8 value-not-json value-too-deep value-not-object value-unsafe-member content-type-unsupported
  attribute-missing attribute-invalid type-unknown tenant-missing tenant-malformed tenant-not-allowed data-missing
  data-not-object property-missing property-wrong-type property-empty property-too-long property-characters
  date-time-malformed date-time-impossible date-time-without-offset date-time-too-precise properties-invalid`.split(
    /\s+/,
  ),
);

/** Either a valid enrollment, by means other than the code's own, or a refusal that says something. */
function judge(value: Uint8Array | null, headers: readonly Header[], isTenantAllowed = true): "ok" | string {
  const decoded = decode({ value, headers }, () => isTenantAllowed);
  if (!decoded.ok) {
    const { code, message, pointers } = decoded.refusal;
    assert.ok(codes.has(code), code);
    assert.ok(message.length > 10 && message.length < 2_500 && message.isWellFormed(), message);
    assert.ok(pointers.length > 0 && new Set(pointers).size === pointers.length, code);
    const shape = code === "value-unsafe-member" ? /^$|\/__proto__$|^\/data$/ : /^$|^\/[a-z]+(\/[a-zA-Z]+)?$/;
    for (const pointer of pointers) assert.match(pointer, shape);
    return code;
  }
  const { tenantId, details, event } = decoded.enrollment;
  assert.match(tenantId, /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
  assert.deepEqual(Object.keys(details), Object.keys(documentedDetails));
  for (const text of [details.connectorName, details.machineName, details.connectorVersion]) {
    assert.ok(text !== "" && [...text].length <= 256 && !/[\p{Cc}\p{Cs}]/u.test(text), text);
  }
  assert.notEqual(oracleTicks(details.enrollmentDateTime), null);
  assert.notEqual(oracleTicks(details.lastCheckinDateTime), null);
  assert.ok(event.id !== "" && event.source !== "");
  return "ok";
}

const headerSets: readonly (readonly Header[])[] = [
  [],
  structuredHeaders,
  binaryHeaders(sampleAttributes),
  binaryHeaders({ id: "1" }),
];

test("random bytes, as value and as headers", () => {
  const header = fc.tuple(
    fc.oneof(
      fc.constantFrom("content-type", "ce_id", "CE_type", "ce_tenantid", "ce_"),
      fc.string({ maxLength: 12 }),
    ),
    fc.option(fc.uint8Array({ maxLength: 40 })),
  );
  const headers = fc.oneof(fc.constantFrom(...headerSets), fc.array(header, { maxLength: 6 }));
  const jsonAlphabet = fc.array(fc.constantFrom(...bytes('{}[]",:\\u0d8e1-.tfn \n')), { maxLength: 60 });
  const value = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    jsonAlphabet.map((list) => Uint8Array.from(list)),
  );
  fc.assert(
    fc.property(fc.option(value), headers, (bytes, list) => void judge(bytes, list)),
    third,
  );
});

test("valid events with bytes changed, dropped, doubled or cut off", () => {
  const structured = json(sampleEvent);
  const data = json(documentedDetails);
  const seen = new Set<string>();
  const edit = fc.record({
    at: fc.nat(structured.length),
    kind: fc.constantFrom("set", "set", "set", "drop", "insert", "cut"),
    byte: fc.oneof(fc.nat(255), fc.constantFrom(...bytes('"{}[],:\\0129'))),
  });
  fc.assert(
    fc.property(fc.boolean(), fc.array(edit, { maxLength: 3 }), (isBinary, edits) => {
      const list = [...(isBinary ? data : structured)];
      for (const { at, kind, byte } of edits) {
        const place = at % (list.length + 1);
        if (kind === "cut") list.splice(place);
        else list.splice(place, kind === "insert" ? 0 : 1, ...(kind === "drop" ? [] : [byte]));
      }
      seen.add(judge(Uint8Array.from(list), isBinary ? binaryHeaders(sampleAttributes) : []));
    }),
    third,
  );
  if (third.numRuns >= 5_000) assert.ok(seen.size >= 8, `only saw ${[...seen].join(", ")}`);
});

test("JSON of any kind in place of any member; what the published schema allows is what is taken", () => {
  const published = Schema.Compile(
    JSON.parse(
      readFileSync(new URL("../../schemas/connector.enrolled.schema.json", import.meta.url), "utf8"),
    ),
  );
  const hostile = fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom(
      "",
      null,
      "connector.enrolled",
      { toString: 1 },
      "\ud800",
      "a".repeat(257),
      "2017-01-01T00:00:00+14:00",
    ),
    fc.constantFrom(
      "1.0",
      "5B0A9A3C-7F0E-4D7C-9A55-0C2D4C3F7E11",
      "0000-00-00T00:00:00Z",
      "2017-01-01T00:00:00.00000001Z",
    ),
  );
  const member = fc.constantFrom(
    ...Object.keys(sampleEvent),
    ...Object.keys(documentedDetails).map((name) => `data.${name}`),
    "__proto__",
    "constructor",
    "x",
  );
  let taken = 0;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(member, fc.option(hostile, { nil: undefined })), { maxLength: 3 }),
      (changes) => {
        const event: Record<string, unknown> = { ...sampleEvent };
        for (const [name, value] of changes) {
          if (name.startsWith("data.")) event.data = { ...(event.data as object), [name.slice(5)]: value };
          else
            Object.defineProperty(event, name, {
              value,
              enumerable: true,
              configurable: true,
              writable: true,
            });
        }
        const value = json(event);
        const verdict = judge(value, []);
        const isTaken = verdict === "ok";
        if (isTaken) taken++;
        // Beyond the schema: no member named __proto__, and a content type that is null is one that isn't given.
        if (verdict === "value-unsafe-member") return;
        const { datacontenttype, ...rest } = JSON.parse(new TextDecoder().decode(value));
        assert.equal(
          isTaken,
          published.Check(datacontenttype === null ? rest : { ...rest, datacontenttype }),
        );
        assert.notEqual(judge(value, [], false), "ok");
      },
    ),
    third,
  );
  assert.ok(taken > third.numRuns / 20, `only ${taken} were valid`);
});
