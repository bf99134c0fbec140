/** `audit --verify FILE`: what differs between the file and the topics, in full sentences; exit code 1 if anything does. */
import { readFile } from "node:fs/promises";
import { columns } from "../../audit/columns.ts";
import type { Difference, Entry } from "../../audit/compare.ts";
import { manifestPath } from "../../audit/export.ts";
import { laterRecords } from "../../audit/later-records.ts";
import { type Manifest, readManifest } from "../../audit/manifest.ts";
import { checkTopics, compareFile, endsOf, type Verified } from "../../audit/verify.ts";
import { exitCodes, fail, plain, print, say } from "../terminal.ts";
import { type AuditPlace, withIndex } from "./build.ts";
import { isFileError } from "./export.ts";

export async function verifyFile(place: AuditPlace, path: string): Promise<void> {
  const manifest = await manifestOf(path);
  if (manifest === null) return;
  const survey = await place.log.survey();
  if (!survey.ok) {
    return fail({
      code: "log",
      message: `The topics can't be read: ${survey.reason}.`,
      fix: "Check that the log is reachable, then type audit --verify again.",
    });
  }
  const { findings, notes } = checkTopics(manifest, survey.topics);
  for (const note of notes) say(`note: ${plain(note)}\n`);
  if (findings.length > 0) return differ(path, findings, []);
  await withIndex(place, endsOf(manifest), async (index) => {
    const verified = await unlessFileError(path, () => compareFile(path, manifest, index));
    if (verified === null) return;
    const gone = verified.differences.flatMap((one) => (one.kind === "only-in-file" ? [one.entry.id] : []));
    const ends = endsOf(manifest).registered;
    const later = await laterRecords({ log: place.log, ends }, new Set(gone), place.signal);
    report(path, manifest, { verified, later });
  });
}

function report(
  path: string,
  manifest: Manifest,
  { verified, later }: { readonly verified: Verified; readonly later: ReadonlyMap<string, string> },
): void {
  const { findings, differences, differenceCount } = verified;
  if (findings.length === 0 && differenceCount === 0) {
    print(`${path} is what the topics say: ${manifest.counts.rows} rows, SHA-256 ${manifest.sha256}`);
    return;
  }
  const left = differenceCount - differences.length;
  const more = left > 0 ? [`and ${left} more rows`] : [];
  differ(path, findings, [...differences.map((one) => differenceText(one, later)), ...more]);
}

function differ(path: string, findings: readonly string[], rows: readonly string[]): void {
  print(`${path} is not what the topics say:`);
  for (const line of [...findings, ...rows]) print(`  ${plain(line)}`);
  process.exitCode = exitCodes.failed;
}

function differenceText(difference: Difference, later: ReadonlyMap<string, string>): string {
  if (difference.kind === "unreadable") return `record ${difference.record} of the file can't be read`;
  if (difference.kind === "differs") {
    const changes = difference.changes.map(
      ({ column, inFile, inTopics }) =>
        `${column} is ${JSON.stringify(inFile)} in the file, ${JSON.stringify(inTopics)} in the topics`,
    );
    return `${difference.id}: ${changes.join("; ") || "it is written in another form"}`;
  }
  const { entry } = difference;
  return difference.kind === "only-in-file"
    ? `${entry.id}: only in the file (${about(entry)}); ${whyGone(entry, later.get(entry.id))}`
    : `${entry.id}: only in the topics (${about(entry)})`;
}

const at = (entry: Entry, column: (typeof columns)[number]) => entry.values[columns.indexOf(column)] ?? "";

function about(entry: Entry): string {
  return ["outcome", "time", "machineName"].map((column) => at(entry, column as "time")).join(", ");
}

/** What an export may rightly hold that the topics no longer do. */
function whyGone(entry: Entry, later: string | undefined): string {
  const record =
    at(entry, "recordPosition") ||
    at(entry, "deadLetterPosition") ||
    at(entry, "eventPosition") ||
    "that it names";
  const why =
    later === undefined ? "retention or compaction" : `compaction, since ${later} is a later one of its key`;
  return `its record ${record} is not there: it never was, or it was removed since (${why})`;
}

async function manifestOf(path: string): Promise<Manifest | null> {
  const manifestFile = manifestPath(path);
  const bytes = await unlessFileError(manifestFile, () => readFile(manifestFile));
  if (bytes === null) return null;
  const manifest = readManifest(bytes);
  if (manifest === null) {
    fail(
      {
        code: "manifest",
        message: `${manifestFile} is not a manifest that this version can read.`,
        fix: "Keep it beside its export as audit --out wrote it, and verify with the version of connector-registrar that it names.",
      },
      exitCodes.usage,
    );
  }
  return manifest;
}

async function unlessFileError<T>(path: string, run: () => Promise<T>): Promise<T | null> {
  try {
    return await run();
  } catch (error) {
    if (!isFileError(error)) throw error;
    fail(
      {
        code: "file",
        message: `${path} can't be read: ${error.message}.`,
        fix: "Name a file that audit --out wrote, with its manifest beside it: audit --verify <file>",
      },
      exitCodes.usage,
    );
    return null;
  }
}
