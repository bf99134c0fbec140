/** `npm run screenshots`: the pictures of docs/CONSOLE.md, from the console of the tests. They show the same at each run. */
import { join } from "node:path";
import { openChromium } from "../../support/chromium.ts";
import { consoleFor, troubled } from "./harness.ts";

const folder = join(import.meta.dirname, "..", "..", "..", "docs", "console");

const ends: (() => unknown)[] = [];
const { url, index } = await consoleFor(
  { after: (end) => void ends.unshift(end) },
  { workers: troubled.slice(0, 1) },
);
const browser = await openChromium();
const [refused] = index.search({ state: "refused", code: "graph-refused", limit: 1 }).rows;
const pictures = [
  ["overview", "/console", "light", 1_210],
  ["enrollment", `/console/enrollment?id=${refused!.id}`, "light", 700],
  ["letters-dark", "/console/letters?code=graph-refused", "dark", 700],
] as const;
for (const [name, path, colorScheme, height] of pictures) {
  const page = await browser.newPage({ viewport: { width: 1_000, height }, colorScheme });
  await page.goto(`${url}${path}`);
  await page.locator("#live-state").getByText("Live.").waitFor();
  await page.screenshot({ path: join(folder, `${name}.png`) });
  await page.close();
}
await browser.close();
for (const end of ends) await end();
