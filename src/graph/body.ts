/**
 * The text of an answer's body, whatever its outer form: compressed although that was not requested, or with a byte order
 * mark. Proxies and gateways do both.
 */
import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync, zstdDecompressSync } from "node:zlib";

/** Of an answer, as it comes and when it is decompressed. Far above a page of 1,000 objects. */
export const maxBodyBytes = 16 * 1024 * 1024;

export type BodyText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly why: string };

const bounded = { maxOutputLength: maxBodyBytes };
const decoders: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: gunzip,
  "x-gzip": gunzip,
  // Some senders leave out the zlib header that this encoding has by its definition.
  deflate: (bytes) =>
    (bytes[0]! & 0x0f) === 8 ? inflateSync(bytes, bounded) : inflateRawSync(bytes, bounded),
  br: (bytes) => brotliDecompressSync(bytes, bounded),
  zstd: (bytes) => zstdDecompressSync(bytes, bounded),
  identity: (bytes) => bytes,
};

/** `encoding`: the Content-Encoding header; "" where there is none. */
export function readBody(bytes: Buffer, encoding: string): BodyText {
  let content = bytes;
  const names = encoding
    .toLowerCase()
    .split(",")
    .map((name) => name.trim());
  for (const name of names.filter((each) => each !== "").reverse()) {
    const decode = decoders[name];
    if (decode === undefined) return { ok: false, why: `its body is encoded as ${name.slice(0, 20)}` };
    try {
      if (content.length > 0) content = decode(content);
    } catch (error) {
      return { ok: false, why: `its body is not the ${name} that it says (${(error as Error).message})` };
    }
  }
  // JSON begins with none of the bytes of a gzip file: one whose header was lost is known by them.
  if (isGzip(content)) return readBody(content, "gzip");
  return { ok: true, text: content.toString("utf8") };
}

/** A proxy may have unpacked it and left the header. */
function gunzip(bytes: Buffer): Buffer {
  return isGzip(bytes) ? gunzipSync(bytes, bounded) : bytes;
}

function isGzip(bytes: Buffer): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}
