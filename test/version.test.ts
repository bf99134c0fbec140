/** One version everywhere: whatever shows it agrees with package.json. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { version as shown } from "../src/cli/version.ts";

const read = (path: string) => readFileSync(join(import.meta.dirname, "..", path), "utf8");
const { version } = JSON.parse(read("package.json")) as { version: string };

test("the lock file, the chart, the image's label and the program have the version of package.json", () => {
  const lock = JSON.parse(read("package-lock.json"));
  const chart = parse(read("deploy/helm/connector-registrar/Chart.yaml"));
  const [, label] = /^ARG VERSION=(.*)$/m.exec(read("Dockerfile"))!;
  assert.deepEqual(
    {
      lock: lock.version,
      root: lock.packages[""].version,
      chart: chart.version,
      app: chart.appVersion,
      label,
      shown,
    },
    { lock: version, root: version, chart: version, app: version, label: version, shown: version },
  );
});

test("commands in documents that name a version name this one", () => {
  const tags = [...read("docs/OPERATING.md").matchAll(/connector-registrar:(\d+\.\d+\.\d+)/g)].map(
    ([, tag]) => tag,
  );
  assert.ok(tags.length > 0);
  for (const tag of tags) assert.equal(tag, version);
});

test("CHANGELOG.md begins with Unreleased, then this version with its date, then older ones, as Keep a Changelog has it", () => {
  const text = read("CHANGELOG.md");
  const headings = [...text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading!);
  assert.equal(headings[0], "[Unreleased]");
  assert.ok(headings[1]!.startsWith(`[${version}] - `), headings[1]);
  for (const heading of headings.slice(1)) assert.match(heading, /^\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}$/);
  const dates = headings.slice(1).map((heading) => heading.slice(-10));
  assert.deepEqual(dates, dates.toSorted().reverse());
  const kinds = new Set([...text.matchAll(/^### (.*)$/gm)].map(([, kind]) => kind));
  for (const kind of kinds)
    assert.ok(["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"].includes(kind!), kind);
  // In a released version each kind stands once.
  for (const part of text.split(/^## /m).slice(2)) {
    const own = [...part.matchAll(/^### (.*)$/gm)].map(([, kind]) => kind);
    assert.deepEqual(own, [...new Set(own)]);
  }
});

test("docs/UPGRADING.md says what an update to this version needs", () => {
  assert.match(read("docs/UPGRADING.md"), new RegExp(`^## .* to ${version.replaceAll(".", "\\.")}$`, "m"));
});

test("the release workflow takes the notes of this version, and of no other, out of CHANGELOG.md", () => {
  const [, program] = /awk -v version="\$version" '(.*)' CHANGELOG\.md/.exec(
    read(".github/workflows/release.yml"),
  )!;
  const changes = join(import.meta.dirname, "../CHANGELOG.md");
  const notes = execFileSync("awk", ["-v", `version=${version}`, program!, changes], { encoding: "utf8" });
  const own = read("CHANGELOG.md").split(/^## .*\n/m)[2]!;
  assert.ok(own.includes("### "));
  assert.equal(notes, own);
});
