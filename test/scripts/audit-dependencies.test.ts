/** `npm run audit-dependencies` fails for known faults, and for nothing else. `npm` is a stand-in here. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { test } from "node:test";

const script = join(import.meta.dirname, "../../scripts/audit-dependencies.ts");

/** npm prints `text` and ends with 1, as it does with faults and without a registry. */
function auditWith(text: string): { status: number | null; line: string } {
  const directory = mkdtempSync(join(tmpdir(), "registrar-audit-"));
  try {
    writeFileSync(join(directory, "text"), text);
    const npm = join(directory, "npm");
    writeFileSync(
      npm,
      `#!/bin/sh\n[ "$*" = "audit --json" ] || exit 9\ncat '${join(directory, "text")}'\nexit 1\n`,
    );
    chmodSync(npm, 0o755);
    const env = { ...process.env, PATH: `${directory}${delimiter}${process.env.PATH}` };
    const { status, stdout } = spawnSync(process.execPath, [script], { env, encoding: "utf8" });
    return { status, line: stdout.trim() };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const report = (counts: Record<string, number>, vulnerabilities: object) =>
  JSON.stringify({ auditReportVersion: 2, vulnerabilities, metadata: { vulnerabilities: counts } });

test("a registry that does not answer is said, without its address, and fails nothing", () => {
  const message = "405 Method Not Allowed - POST https://example.invalid/-/npm/v1/security/advisories/bulk";
  const { status, line } = auditWith(JSON.stringify({ message, statusCode: 405, error: { summary: "" } }));
  assert.equal(status, 0);
  assert.equal(line, "NOT AUDITED: the registry does not answer npm audit (405 Method Not Allowed).");
});

test("an npm that prints nothing, or no report, fails nothing", () => {
  for (const text of ["", "null", "<html>", "{}"]) {
    const { status, line } = auditWith(text);
    assert.equal(status, 0, text);
    assert.match(line, /^NOT AUDITED/, text);
  }
});

test("no known fault ends it with 0", () => {
  const { status, line } = auditWith(
    report({ info: 0, low: 0, moderate: 0, high: 0, critical: 0, total: 0 }, {}),
  );
  assert.equal(status, 0);
  assert.match(line, /no fault/);
});

test("low ones are named and end it with 0, high and critical ones with 1", () => {
  const low = auditWith(report({ low: 2, high: 0, total: 2 }, { a: {}, b: {} }));
  assert.equal(low.status, 0);
  assert.match(low.line, /2 low \(a, b\)/);
  const high = auditWith(report({ moderate: 1, high: 1, total: 2 }, { undici: {}, yaml: {} }));
  assert.equal(high.status, 1);
  assert.match(high.line, /1 moderate, 1 high \(undici, yaml\)/);
  assert.equal(auditWith(report({ critical: 1, total: 1 }, { x: {} })).status, 1);
});
