/** Secrets that stand in files: NAME_FILE beside each secret NAME, as Docker and Kubernetes mount them. */
import { readFileSync } from "node:fs";
import { type SettingName, settingNames, table } from "./table.ts";

/** The setting that names the file of a secret; null: it is not a secret. */
export function fileSettingOf(name: SettingName): SettingName | null {
  if (!table[name].secret) return null;
  const variable = `${table[name].variable}_FILE`;
  return settingNames.find((other) => table[other].variable === variable) ?? null;
}

/** A secret as it was meant: files that editors and `echo` write end with a line break that belongs to nothing. */
export function secretOf(text: string): string {
  return text.replace(/^[\r\n]+|[\r\n]+$/g, "");
}

/** Reads it at each call; while the file can't serve, what it held before. */
export function renewedSecret(path: string | null, first: string): () => string {
  let held = first;
  return () => {
    const read = path === null ? null : readSecretFile(path);
    if (read?.ok) held = read.text;
    return held;
  };
}

export type SecretRead =
  | { readonly ok: true; readonly text: string }
  /** Completes "PATH …". */
  | { readonly ok: false; readonly problem: string };

export function readSecretFile(path: string): SecretRead {
  let text: string;
  try {
    text = secretOf(readFileSync(path, "utf8"));
  } catch (error) {
    return { ok: false, problem: `can't be read (${(error as NodeJS.ErrnoException).code})` };
  }
  return text === "" ? { ok: false, problem: "is empty" } : { ok: true, text };
}
