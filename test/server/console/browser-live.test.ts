/** How a page of the console stays up to date, in a real browser. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { noChromium, openChromium } from "../../support/chromium.ts";
import { consoleFor } from "./harness.ts";

const options = { skip: noChromium, timeout: 120_000 };

test("what changed after the page was made and before it was connected is shown", options, async (t) => {
  const console = await consoleFor(t);
  const browser = await openChromium();
  t.after(() => browser.close());
  const page = await (await browser.newContext({ baseURL: console.url })).newPage();
  let isFirst = true;
  await page.route("**/console", async (route) => {
    const response = await route.fetch();
    const body = await response.text();
    await route.fulfill({
      response,
      body: isFirst ? body.replaceAll("Registered a minute", "Before") : body,
    });
    isFirst = false;
  });
  await page.goto("/console");
  await page.getByText("Registered a minute").first().waitFor();
  assert.equal(isFirst, false);
});
