/** jose is an optional dependency: only who sends assertions needs it. */
import type * as Jose from "jose";
import type { Problem } from "../host.ts";

export class AssertionCheckerMissing extends Error {
  readonly problem: Problem = {
    code: "no-assertions",
    message: "The emulator checks client assertions with the package jose, which is not installed.",
    fix: "Install connector-registrar again without --omit=optional; in a clone type: npm ci",
  };
}

export async function loadJose(): Promise<typeof Jose> {
  try {
    return await import("jose");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new AssertionCheckerMissing("the package jose is not installed");
  }
}
