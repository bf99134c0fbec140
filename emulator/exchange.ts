/** One HTTP exchange: reads a request's body, writes a reply, cuts it or resets the connection. */

import type { IncomingMessage, ServerResponse } from "node:http";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import type { FormFault } from "./faults.ts";
import type { Page } from "./plan.ts";

/** As Graph: a larger request body is refused. */
const maxBodyBytes = 4 * 1024 * 1024;

export type ReadBody =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "too-large" | "aborted" };

export function readBody(request: IncomingMessage, done: (body: ReadBody) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  let settled = false;
  const settle = (body: ReadBody) => {
    if (settled) return;
    settled = true;
    done(body);
  };
  request.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size <= maxBodyBytes) chunks.push(chunk);
    else settle({ kind: "too-large" });
  });
  request.on("end", () => {
    const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
    settle({ kind: "text", text: bytes.toString("utf8") });
  });
  request.on("error", () => settle({ kind: "aborted" }));
  request.on("close", () => settle({ kind: "aborted" }));
}

/** Undefined: no JSON. */
export function parseJson(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const bom = Buffer.from([0xef, 0xbb, 0xbf]);
const encoders = { gzip: gzipSync, deflate: deflateSync, brotli: brotliCompressSync };

/** As `writeReply`, in the given outer form. */
export function writeFormed(
  response: ServerResponse,
  { status, headers, text }: { readonly status: number; readonly headers: string[]; readonly text: string },
  forms: readonly FormFault[],
): void {
  if (text === "") return writeReply(response, { status, headers, text });
  let bytes = Buffer.from(text);
  if (forms.includes("bom")) bytes = Buffer.concat([bom, bytes]);
  const encodings: string[] = [];
  for (const name of ["gzip", "deflate", "brotli"] as const) {
    if (!forms.includes(name)) continue;
    bytes = encoders[name](bytes);
    encodings.push(name === "brotli" ? "br" : name);
  }
  headers.push("content-type", forms.includes("wrongType") ? "text/html" : "application/json");
  if (encodings.length > 0) headers.push("content-encoding", encodings.join(", "));
  if (!forms.includes("noLength")) headers.push("content-length", String(bytes.length));
  else {
    response.useChunkedEncodingByDefault = false;
    headers.push("connection", "close");
  }
  const { socket } = response;
  response.writeHead(status, headers).end(bytes, () => forms.includes("noLength") && socket?.end());
}

const page = "<!DOCTYPE html>\n<html><head><title>Not Graph</title></head><body>Not Graph.</body></html>\n";
const pageStatus = { portal: 200, refusal: 400, redirect: 302 };

/** What something in between answers in Graph's place. */
export function writePage(response: ServerResponse, kind: Page): void {
  const headers = ["content-type", "text/html", "content-length", String(Buffer.byteLength(page))];
  if (kind === "redirect") headers.push("location", "https://portal.example/login");
  response.writeHead(pageStatus[kind], headers).end(page);
}

/** `headers`: name, value, name, value. An empty text: no body. */
export function writeReply(
  response: ServerResponse,
  { status, headers, text }: { readonly status: number; readonly headers: string[]; readonly text: string },
): void {
  if (text === "") {
    // 204 must not have a length.
    if (status !== 204) headers.push("content-length", "0");
    response.writeHead(status, headers).end();
    return;
  }
  headers.push("content-type", "application/json", "content-length", String(Buffer.byteLength(text)));
  response.writeHead(status, headers).end(text);
}

/** Announces the whole body, sends half of it, then closes the connection. */
export function writeTruncated(
  response: ServerResponse,
  { status, headers, text }: { readonly status: number; readonly headers: string[]; readonly text: string },
): void {
  const half = text.slice(0, Math.floor(text.length / 2));
  headers.push("content-type", "application/json", "content-length", String(Buffer.byteLength(text) || 1));
  response.writeHead(status, headers);
  response.write(half, () => response.destroy());
  // With nothing to write, no callback tells when the head is out.
  if (half === "") response.flushHeaders();
}

/** A TCP reset where the platform can, else a close without an answer. */
export function resetConnection(request: IncomingMessage): void {
  const { socket } = request;
  try {
    socket.resetAndDestroy();
  } catch {
    socket.destroy();
  }
}

export function header(request: IncomingMessage, name: string): string | null {
  const value = request.headers[name];
  return typeof value === "string" ? value : null;
}

/** Such as `https://localhost:8443`, as the client wrote it. */
export function originOf(request: IncomingMessage): string {
  const scheme = "encrypted" in request.socket ? "https" : "http";
  return `${scheme}://${request.headers.host ?? "localhost"}`;
}
