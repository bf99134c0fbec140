/**
 * Hostile HTTP requests: bodies, headers, paths and tokens that no well-meaning client sends, and now and then a right one. The same
 * randomness gives the same requests.
 */

import type { Random } from "../../src/ports.ts";
import { documentedDetails, sampleEvent } from "../testkit/samples.ts";

interface Picker {
  below(n: number): number;
  one<T>(list: readonly T[]): T;
  bytes(n: number): Buffer;
}

function pickerOf(random: Random): Picker {
  const below = (n: number) => Math.floor(random() * n);
  return {
    below,
    one: (list) => list[below(list.length)]!,
    bytes: (n) => Buffer.from(Array.from({ length: n }, () => below(256))),
  };
}

const event = JSON.stringify(sampleEvent);
const binary = Object.entries({ ...sampleEvent, data: undefined, datacontenttype: undefined })
  .filter(([, value]) => value !== undefined)
  .map(([name, value]) => `ce-${name}: ${value}`);
const bodiesOf = ({ below, one, bytes }: Picker): readonly (() => Buffer)[] => [
  () => Buffer.from(event),
  () => Buffer.from(`[${event},${event}]`),
  () => Buffer.from(JSON.stringify(documentedDetails)),
  () => bytes(below(400)),
  () => Buffer.from("[".repeat(1 + below(20_000))),
  () => Buffer.from(`${'{"a":'.repeat(below(5_000))}`),
  () => Buffer.from(`[${"{},".repeat(below(600))}{}]`),
  () =>
    Buffer.from(
      event.replace('"event-1"', one(['{"__proto__":1}', "1e999", '"\\ud800"', "null", '"\\u0000"'])),
    ),
  () => Buffer.from(event.replace("Machine Name value", "x".repeat(below(70_000)))),
  () => Buffer.alloc(below(1_200_000), 0x20),
];
const types = [
  ...[
    "application/cloudevents+json",
    "application/cloudevents-batch+json",
    "application/json",
    "text/plain",
    "",
  ],
  ...[
    'application/cloudevents+json; charset="utf-8"',
    "APPLICATION/JSON;;;charset=utf8",
    "a/b; c=\xff",
    "*/*",
    "\t",
  ],
];
const otherTokens = [
  ...["crt_unknown", "a.b.c", "..", "eyJhbGciOiJub25lIn0.e30.", `${"a".repeat(9_000)}`, "\xff\xfe", "", "=;"],
  ...["eyJhbGciOiJSUzI1NiIsImtpZCI6ImsxIn0.eyJ0aWQiOltdfQ.AAAA", "eyJhbGciOiJIUzI1NiJ9.e30.AAAA"],
];
const paths = [
  ...[
    "/events",
    "/events",
    "/events",
    "/events?x=1",
    "/enrollments/5b0a9a3c-7f0e-4d7c-9a55-0c2d4c3f7e11",
    "/enrollments/%00",
  ],
  ...[
    "/enrollments/../../etc/passwd",
    "/%",
    "/%c0%ae",
    "//events",
    "/openapi.json",
    "/readyz",
    "/metrics",
    "*",
    "http://evil/x",
  ],
  ...["/", "/console", "/console/", "/console/live", "/console/enrollments?tenant=%00&since=9e9d&after=1-1"],
  ...[
    "/console/enrollment?id=%ff",
    "/console/sign-in?to=//evil.example",
    "/console/sign-in",
    "/console/replays",
  ],
  ...["/console/replays/%2e%2e/confirm", "/console/audit/x/file", "/console/style.css", "/console/%zz"],
];
const methods = [
  "POST",
  "POST",
  "POST",
  "GET",
  "HEAD",
  "OPTIONS",
  "PUT",
  "TRACE",
  "QUERY",
  "PROPFIND",
  "get",
  "X",
];
const extrasOf = ({ below, one, bytes }: Picker): readonly (() => string)[] => [
  () => `Prefer: wait=${one(["0", "1e9", "-1", '"1"', "99999999999999", "a"])}`,
  () => `Accept: ${one(["text/html", ";;;", "*/*;q=0", "application/json"])}`,
  () => `Origin: ${one(["null", "http://x", "\x01", "http://["])}`,
  () => `Content-Encoding: ${one(["gzip", "identity", ",", ""])}`,
  () => `Expect: ${one(["100-continue", "x"])}`,
  () => `X-${below(9)}: ${"y".repeat(below(20_000))}`,
  () =>
    `ce-id: ${bytes(below(40))
      .toString("latin1")
      .replace(/[\r\n\0]/g, "%")}`,
  () => `ce-${"z".repeat(below(50))}: %${one(["", "4", "zz", "ff", "00"])}`,
  () => "Upgrade: websocket\r\nConnection: Upgrade",
  () => "Transfer-Encoding: gzip, chunked",
  () => "Content-Length: -1",
];

/** The next one, whole, as it goes over the wire. `secret`: the token that opens the door. */
export function hostileRequest(random: Random, host: string, secret: string): Buffer {
  const picker = pickerOf(random);
  const { below, one } = picker;
  // Half of them get past the door, to the intake.
  const isIntake = random() < 0.5;
  let body = one(bodiesOf(picker))();
  if (random() < 0.3 && body.length > 0) body[below(body.length)] = below(256);
  const lines = [
    `${isIntake ? "POST /events" : `${one(methods)} ${one(paths)}`} HTTP/${isIntake || random() < 0.95 ? "1.1" : one(["1.0", "2.0", "0.9"])}`,
  ];
  lines.push(`Host: ${isIntake || random() < 0.95 ? host : one(["", "evil", "a b"])}`, "Connection: close");
  const type = one(types);
  if (type !== "") lines.push(`Content-Type: ${type}`);
  if (random() < 0.9)
    lines.push(
      `Authorization: ${isIntake ? "Bearer" : one(["Bearer", "bearer ", "Basic"])} ${isIntake || random() < 0.6 ? secret : one([secret, ...otherTokens])}`,
    );
  if (random() < 0.4) lines.push(...binary);
  while (random() < 0.3) lines.push(one(extrasOf(picker))());
  if (random() < 0.9) lines.push(`Content-Length: ${random() < 0.95 ? body.length : below(2_000)}`);
  else {
    lines.push("Transfer-Encoding: chunked");
    body = Buffer.concat([
      Buffer.from(`${body.length.toString(16)}\r\n`),
      body,
      Buffer.from(random() < 0.5 ? "\r\n0\r\n\r\n" : ""),
    ]);
  }
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), body]);
}
