/**
 * A Python with Microsoft's Graph SDK: the interpreter that PYTHON names, else python3. `.ci/python` installs one and prints
 * its path.
 */
import { spawnSync } from "node:child_process";

export const python = process.env.PYTHON || "python3";

/** For a test's `skip` option: false when the modules are there. REQUIRE_PYTHON=1 makes the skip a failure (run-tests.ts). */
export function skipWithoutPython(...modules: readonly string[]): string | false {
  const missing = missingOf(modules);
  return missing === null ? false : `Python: ${missing}; type: PYTHON="$(.ci/python)" npm test`;
}

/** Looked for, not imported: that would take seconds. */
function missingOf(modules: readonly string[]): string | null {
  // Of `azure.identity`, `azure` first: what is looked for inside a missing package is an error.
  const program = [
    "import sys",
    "from importlib.util import find_spec",
    "parts = lambda m: ['.'.join(m.split('.')[:n + 1]) for n in range(m.count('.') + 1)]",
    "print(*[m for m in sys.argv[1:] if any(find_spec(p) is None for p in parts(m))], sep=', ')",
  ].join("\n");
  const { status, error, stdout } = spawnSync(python, ["-c", program, ...modules], { encoding: "utf8" });
  if (error !== undefined || status !== 0) return `${python} can't be run`;
  return stdout.trim() === "" ? null : `${python} lacks the modules ${stdout.trim()}`;
}
