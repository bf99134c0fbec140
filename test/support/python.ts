/**
 * A Python with Microsoft's Graph SDK: the interpreter that PYTHON names, else python3. `.ci/python` installs one and prints
 * its path.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";

export const python = process.env.PYTHON || "python3";

/** For a test's `skip` option: false when the modules are there; with REQUIRE_PYTHON=1 it is a failure that they are not. */
export function skipWithoutPython(...modules: readonly string[]): string | false {
  const missing = missingOf(modules);
  if (missing === null) return false;
  assert.notEqual(process.env.REQUIRE_PYTHON, "1", `REQUIRE_PYTHON=1, but ${missing}`);
  return `Python: ${missing}; type: PYTHON="$(.ci/python)" npm test`;
}

/** Looked for, not imported: that would take seconds. */
function missingOf(modules: readonly string[]): string | null {
  const program =
    "import importlib.util as u, sys; print(*[m for m in sys.argv[1:] if u.find_spec(m) is None], sep=', ')";
  const { status, error, stdout } = spawnSync(python, ["-c", program, ...modules], { encoding: "utf8" });
  if (error !== undefined || status !== 0) return `${python} can't be run`;
  return stdout.trim() === "" ? null : `${python} lacks the modules ${stdout.trim()}`;
}
