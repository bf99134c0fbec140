/** A Chromium for tests of pages: the system's own, named by CHROMIUM or found as `chromium`. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

const path =
  process.env.CHROMIUM ??
  (process.env.PATH ?? "")
    .split(delimiter)
    .map((folder) => join(folder, "chromium"))
    .find((file) => existsSync(file));

/** Why tests that need it are skipped; false: it is there. */
export const noChromium: string | false =
  path === undefined ? "no chromium: apt-get install chromium, or set CHROMIUM to its path" : false;

export function openChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: path ?? "chromium",
    // Its sandbox wants more than a container gives; it loads pages of this machine alone.
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  });
}
