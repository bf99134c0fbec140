/**
 * Secrets and certificates that are renewed on disk while the worker runs.
 *
 * 1. A file is read again for each use: what replaced it, by whatever means, counts from the next token on. Uses that come
 *    while a certificate is being read share that reading.
 * 2. A certificate is parsed again only when the bytes or the password changed.
 * 3. A certificate that can't be used does not take the place of one that can: the last good one stays in use, and a warning is logged.
 */
import { readFile } from "node:fs/promises";
import { type Certificate, readCertificate } from "./certificate.ts";
import type { SecretText } from "./credential.ts";

export type Read<T> =
  | { readonly ok: true; readonly value: T }
  /** A sentence's beginning: the variable, the path and what is wrong. */
  | { readonly ok: false; readonly problem: string };

export async function readText(secret: SecretText): Promise<Read<string>> {
  if (secret.from === "text") return { ok: true, value: secret.text };
  return readFilled(secret.variable, secret.path);
}

/** Without the line break that editors and `echo` leave at the end. */
export async function readFilled(variable: string, path: string): Promise<Read<string>> {
  const read = await readBytes(variable, path);
  if (!read.ok) return read;
  const text = read.value.toString("utf8").replace(/^[\r\n]+|[\r\n]+$/g, "");
  return text === "" ? { ok: false, problem: `${variable}=${path} is empty` } : { ok: true, value: text };
}

async function readBytes(variable: string, path: string): Promise<Read<Buffer>> {
  try {
    return { ok: true, value: await readFile(path) };
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code;
    return { ok: false, problem: `${variable}=${path} can't be read (${why})` };
  }
}

export interface CertificateFile {
  read(): Promise<Read<Certificate>>;
  /** The last good one; null before the first. */
  current(): Certificate | null;
  /** What is wrong with the file now, though a good one is still held; "": nothing. */
  problem(): string;
}

/** What happens to the file, for the log. */
export type CertificateNote =
  | { readonly kind: "read"; readonly certificate: Certificate; readonly isFirst: boolean }
  | { readonly kind: "kept"; readonly problem: string };

const variable = "AZURE_CLIENT_CERTIFICATE_PATH";

export function certificateFile(
  path: string,
  password: SecretText | null,
  onNote: (note: CertificateNote) => void,
): CertificateFile {
  let last: { readonly bytes: Buffer; readonly password: string; readonly result: Read<Certificate> } | null =
    null;
  let good: Certificate | null = null;

  async function readNow(): Promise<Read<Certificate>> {
    const bytes = await readBytes(variable, path);
    if (!bytes.ok) return bytes;
    const text = password === null ? { ok: true as const, value: "" } : await readText(password);
    if (!text.ok) return text;
    if (last !== null && last.password === text.value && last.bytes.equals(bytes.value)) return last.result; // 2
    const read = await readCertificate(bytes.value, text.value);
    const result: Read<Certificate> = read.ok
      ? { ok: true, value: read.certificate }
      : { ok: false, problem: `${variable}=${path} ${read.problem}` };
    last = { bytes: bytes.value, password: text.value, result };
    return result;
  }

  let reading: Promise<Read<Certificate>> | null = null;
  let noted = "";
  return {
    current: () => good,
    problem: () => noted,
    async read() {
      reading ??= readNow().finally(() => {
        reading = null;
      });
      const result = await reading;
      if (result.ok) {
        const isFirst = good === null;
        if (good?.pem !== result.value.pem) onNote({ kind: "read", certificate: result.value, isFirst });
        good = result.value;
        noted = "";
        return result;
      }
      if (good === null) return result;
      if (noted !== result.problem) onNote({ kind: "kept", problem: result.problem }); // 3
      noted = result.problem;
      return { ok: true, value: good };
    },
  };
}
