/** Reads OTLP's protobuf by its field numbers (opentelemetry-proto, trace/v1), and stands for a collector that keeps what it gets. */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";

export interface ReadSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: number;
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string; readonly flags: number }[];
  readonly events: readonly {
    readonly name: string;
    readonly timeNs: bigint;
    readonly attributes: Readonly<Record<string, string | number>>;
  }[];
  readonly statusCode: number;
  readonly flags: number;
}

export interface ReadRequest {
  readonly resource: Readonly<Record<string, string | number>>;
  readonly scope: { readonly name: string; readonly version: string };
  readonly schemaUrls: readonly string[];
  readonly spans: readonly ReadSpan[];
}

type Field = bigint | Buffer;
type Message = ReadonlyMap<number, readonly Field[]>;

function messageOf(bytes: Buffer): Message {
  const fields = new Map<number, Field[]>();
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined || shift > 63n) throw new Error("the message ends in the middle of a number");
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number) => {
    if (at + length > bytes.length) throw new Error("the message ends in the middle of a field");
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const head = Number(varint());
    const type = head & 7;
    const value =
      type === 0
        ? varint()
        : type === 1
          ? take(8).readBigUInt64LE()
          : type === 5
            ? BigInt(take(4).readUInt32LE())
            : take(Number(varint()));
    if (![0, 1, 2, 5].includes(type)) throw new Error(`wire type ${type}`);
    fields.set(head >> 3, [...(fields.get(head >> 3) ?? []), value]);
  }
  return fields;
}

const all = (message: Message, field: number) => (message.get(field) ?? []) as Buffer[];
const messages = (message: Message, field: number) => all(message, field).map(messageOf);
const text = (message: Message, field: number) => all(message, field)[0]?.toString() ?? "";
const hex = (message: Message, field: number) => all(message, field)[0]?.toString("hex") ?? "";
const whole = (message: Message, field: number) => (message.get(field)?.[0] ?? 0n) as bigint;

function attributesOf(message: Message, field: number): Record<string, string | number> {
  const entries = messages(message, field).map((pair) => {
    const value = messages(pair, 2)[0]!;
    return [text(pair, 1), value.has(1) ? text(value, 1) : Number(whole(value, 3))] as const;
  });
  return Object.fromEntries(entries);
}

function spanOf(message: Message): ReadSpan {
  return {
    traceId: hex(message, 1),
    spanId: hex(message, 2),
    parentSpanId: hex(message, 4),
    name: text(message, 5),
    kind: Number(whole(message, 6)),
    startNs: whole(message, 7),
    endNs: whole(message, 8),
    attributes: attributesOf(message, 9),
    events: messages(message, 11).map((event) => {
      return { name: text(event, 2), timeNs: whole(event, 1), attributes: attributesOf(event, 3) };
    }),
    links: messages(message, 13).map((link) => {
      return { traceId: hex(link, 1), spanId: hex(link, 2), flags: Number(whole(link, 6)) };
    }),
    statusCode: Number(messages(message, 15).map((status) => whole(status, 3))[0] ?? 0n),
    flags: Number(whole(message, 16)),
  };
}

export function readRequest(bytes: Uint8Array): ReadRequest {
  const resourceSpans = messages(messageOf(Buffer.from(bytes)), 1);
  const [first] = resourceSpans;
  if (first === undefined || resourceSpans.length > 1) throw new Error("not one resource");
  const [resource] = messages(first, 1);
  const scopes = messages(first, 2);
  const [scope] = messages(scopes[0]!, 1);
  return {
    resource: attributesOf(resource!, 1),
    scope: { name: text(scope!, 1), version: text(scope!, 2) },
    schemaUrls: [text(first, 3), text(scopes[0]!, 3)],
    spans: scopes.flatMap((each) => messages(each, 2)).map(spanOf),
  };
}

export interface Collector {
  readonly url: string;
  readonly requests: ReadRequest[];
  readonly headers: IncomingMessage["headers"][];
  readonly spans: () => ReadSpan[];
  /** What the next requests are answered; null: never. */
  answer: number | null;
  /** Once there is such a span. */
  span(matches: (span: ReadSpan) => boolean): Promise<ReadSpan>;
  close(): Promise<void>;
}

export async function startCollector(): Promise<Collector> {
  const waiting = new Set<() => void>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (request.url !== "/v1/traces" || request.method !== "POST") return response.writeHead(404).end();
    collector.headers.push(request.headers);
    if (collector.answer === null) return;
    if (collector.answer === 200) {
      const body = Buffer.concat(chunks);
      const isPacked = request.headers["content-encoding"] === "gzip";
      collector.requests.push(readRequest(isPacked ? gunzipSync(body) : body));
    }
    response.writeHead(collector.answer, { "content-type": "application/x-protobuf" }).end();
    for (const look of [...waiting]) look();
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const collector: Collector = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    headers: [],
    answer: 200,
    spans: () => collector.requests.flatMap(({ spans }) => spans),
    span: (matches) =>
      new Promise((resolve) => {
        const look = () => {
          const found = collector.spans().find(matches);
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return collector;
}
