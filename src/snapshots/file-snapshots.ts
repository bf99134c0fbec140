/**
 * SnapshotStore on files of one directory: `ledger-<partition>.snapshot`.
 *
 * 1. A file is replaced by renaming a whole one over it.
 * 2. What is read is believed only if its length and checksum are right; anything else counts as none.
 */
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { SnapshotStore } from "../ports.ts";

const magic = Buffer.from("CRSNAP1\n");
const headBytes = magic.length + 12;

export function openFileSnapshots(directory: string): SnapshotStore {
  const pathOf = (partition: number) => join(directory, `ledger-${partition}.snapshot`);
  return {
    async load(partition) {
      const file = await readFile(pathOf(partition)).catch(() => null);
      return file === null ? null : unwrap(file); // 2
    },
    async save(partition, bytes) {
      const path = pathOf(partition);
      const draft = `${path}.${process.pid}.draft`;
      try {
        await mkdir(directory, { recursive: true });
        await writeFile(draft, [headOf(bytes), bytes]);
        await rename(draft, path); // 1
        return { ok: true };
      } catch (error) {
        await rm(draft, { force: true }).catch(() => {});
        const reason = error instanceof Error ? error.message : String(error);
        return {
          ok: false,
          reason: `${reason}; a restart will read the whole ledger. Make DATA_DIR writable.`,
        };
      }
    },
  };
}

function headOf(bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(headBytes);
  magic.copy(head);
  head.writeBigUInt64LE(BigInt(bytes.length), magic.length);
  head.writeUInt32LE(crc32(bytes), magic.length + 8);
  return head;
}

function unwrap(file: Buffer): Uint8Array | null {
  if (file.length < headBytes || !file.subarray(0, magic.length).equals(magic)) return null;
  const bytes = file.subarray(headBytes);
  const isWhole = file.readBigUInt64LE(magic.length) === BigInt(bytes.length);
  return isWhole && file.readUInt32LE(magic.length + 8) === crc32(bytes) ? bytes : null;
}
