/** The console in a real browser: for everyone (axe-core, keyboard, narrow screens, without JavaScript), and against hostile values. */
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import axe from "axe-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { contoso, keyOf } from "../../../lab/testkit/enrollments.ts";
import { refusal } from "../../../src/domain/refusal.ts";
import { noChromium, openChromium } from "../../support/chromium.ts";
import { until } from "../service-harness.ts";
import { type Console, consoleFor, endMs, refused, troubled } from "./harness.ts";

const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

suite("console in Chromium", { skip: noChromium, timeout: 240_000 }, () => {
  let browser: Browser;
  before(async () => {
    browser = await openChromium();
  });
  after(() => browser?.close());

  /** What the page complains of is a failure: a policy that is broken, a script that throws. */
  async function open({ url }: Console, path: string, options: BrowserContextOptions = {}) {
    const context = await browser.newContext({ baseURL: url, ...options });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("dialog", (dialog) => {
      complaints.push(`a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    const foreign: string[] = [];
    page.on("request", (request) => request.url().startsWith(url) || foreign.push(request.url()));
    await page.goto(path);
    return { page, complaints, foreign, close: () => context.close() };
  }

  async function allPaths({ index, post }: Console): Promise<string[]> {
    const row = (state: "waiting" | "registered" | "refused") =>
      index.search({ state, limit: 1 }).rows[0]!.id;
    const dryRun = await post("/console/replays", { by: "reason" });
    const made = await post("/console/audit", {});
    const ids = [
      row("waiting"),
      row("registered"),
      row("refused"),
      index.search({ code: "value-not-json", limit: 1 }).rows[0]!.id,
    ];
    return [
      ...[
        "/console",
        "/console/enrollments",
        "/console/enrollments?tenant=wrong&since=x",
        "/console/letters",
      ],
      ...["/console/tenants", "/console/replays", dryRun.headers.get("location")!, "/console/nothing"],
      ...["/console/audit", made.headers.get("location")!],
      ...ids.map((id) => `/console/enrollment?id=${encodeURIComponent(id)}`),
    ];
  }

  /** In light all rules, in dark those about colours: nothing else differs. */
  async function violations(page: Page): Promise<string[]> {
    const path = new URL(page.url()).pathname;
    await page.evaluate(axe.source);
    const lines: string[] = [];
    for (const [colorScheme, values] of [
      ["light", rules],
      ["dark", ["cat.color"]],
    ] as const) {
      await page.emulateMedia({ colorScheme });
      const found: Violation[] = await page.evaluate(
        `axe.run(document, { runOnly: ${JSON.stringify(values)} }).then(({ violations }) => violations)`,
      );
      for (const { id, nodes } of found)
        for (const { html, failureSummary } of nodes)
          lines.push(`${path} ${colorScheme} ${id}: ${html}\n${failureSummary}`);
    }
    return lines;
  }

  test("axe-core finds nothing on any page, in light and dark", { timeout: 240_000 }, async (t) => {
    const console = await consoleFor(t, { workers: troubled });
    const { page, close } = await open(console, "/console", { bypassCSP: true });
    for (const path of await allPaths(console)) {
      await page.goto(path);
      for (const summary of await page.locator("summary").all()) await summary.click();
      assert.deepEqual(await violations(page), []);
    }
    await close();
  });

  test("axe-core finds nothing where one signs in", async (t) => {
    const tokens = { principalOf: () => null, principalOfHash: () => null, problem: () => null };
    const console = await consoleFor(t, { doors: { tokens, entra: null } });
    const { page, close } = await open(console, "/console", { bypassCSP: true });
    await page.getByLabel("Token").fill("crt_wrong");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").waitFor();
    assert.deepEqual(await violations(page), []);
    await close();
  });

  test("on a screen of 320 pixels no page is wider than it", async (t) => {
    const console = await consoleFor(t, { workers: troubled });
    const { page, close } = await open(console, "/console", { viewport: { width: 320, height: 640 } });
    for (const path of await allPaths(console)) {
      await page.goto(path);
      assert.ok((await widthOf(page)) <= 320, `${path} is ${await widthOf(page)} pixels wide`);
    }
    await close();
  });

  test("a search by keyboard alone: skip link, fields, the first hit, its story", async (t) => {
    const console = await consoleFor(t);
    const { page, complaints, foreign, close } = await open(console, "/console/enrollments");
    await page.keyboard.press("Tab");
    assert.equal(await focused(page), "Skip to the content");
    await page.keyboard.press("Enter");
    await tabTo(page, "Machine name");
    await page.keyboard.type("srv-110");
    await tabTo(page, "Connector name");
    await page.keyboard.type("NDES-1");
    await page.keyboard.press("Enter");
    await page.waitForURL(/machine=srv-110/);
    assert.equal(await page.locator("tbody tr").count(), 1);
    await tabTo(page, "SRV-110");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "What happened" }).waitFor();
    assert.match(await page.locator("main").innerText(), /evt-0020/);
    assert.deepEqual([complaints, foreign], [[], []]);
    await close();
  });

  test("a replay by keyboard alone: mark two, look at the dry run, confirm; the page says when it is done", async (t) => {
    const console = await consoleFor(t);
    const { page, complaints, close } = await open(console, "/console/letters?code=graph-refused");
    for (const nth of [0, 1]) {
      await tabTo(page, /^Replay enrolled/);
      assert.ok(nth < 2);
      await page.keyboard.press("Space");
    }
    await tabTo(page, "Replay what is marked…");
    await page.keyboard.press("Enter");
    const confirm = page.getByRole("button", { name: "Replay 2 now" });
    await confirm.waitFor();
    assert.equal(console.memory.appends.length, 0);
    await tabTo(page, "Replay 2 now");
    await page.keyboard.press("Enter");
    // Not "0 of 2 dead letters", while they go.
    await page.getByText(/Done: 2 dead letters went back into the input/).waitFor();
    assert.equal(console.memory.appends.flat().length, 2);
    assert.deepEqual(complaints, []);
    await close();
  });

  test("without JavaScript too: overview, search, replay", async (t) => {
    const console = await consoleFor(t);
    const { page, complaints, close } = await open(console, "/console", { javaScriptEnabled: false });
    assert.match(await page.locator("main").innerText(), /Registered a minute/);
    await page.getByRole("link", { name: "Dead letters" }).click();
    assert.equal(await page.getByLabel("All on this page").isVisible(), false);
    await page
      .getByRole("checkbox", { name: /^Replay enrolled/ })
      .first()
      .check();
    await page.getByRole("button", { name: "Replay what is marked…" }).click();
    const again = page.getByRole("link", { name: "Look again" });
    while (await again.isVisible()) await again.click();
    await page.getByRole("button", { name: "Replay 1 now" }).click();
    while (await again.isVisible()) await again.click();
    assert.match(await page.locator("main").innerText(), /1 dead letter went back/);
    assert.deepEqual(complaints, []);
    await close();
  });

  test("a page that is open shows what comes, without being loaded again; what the reader opened stays open", async (t) => {
    const console = await consoleFor(t);
    const { page, complaints, close } = await open(console, "/console");
    await page.locator("#live-state").getByText("Live.").waitFor();
    await page.evaluate("window.isSame = true");
    await page.getByText("Outcomes as figures").click();
    await page.evaluate("document.activeElement.blur()");
    const registeredBefore = await page.locator(".tiles dd").nth(4).innerText();
    const [row] = console.index.search({ state: "waiting", limit: 1 }).rows;
    const event = console.memory.records("enrolled", row!.position!.partition)[row!.position!.offset]!;
    console.at(endMs, refused(event, refusal("value-not-json", "x", []), endMs));
    await console.read();
    const tile = page.locator(".tiles dd").nth(4);
    await until(async () => (await tile.innerText()) !== registeredBefore);
    assert.equal(await page.evaluate("isSame"), true);
    assert.equal(await page.evaluate(`document.getElementById("outcomes-figures").open`), true);
    assert.deepEqual(complaints, []);
    await close();
  });

  test("script tags, right-to-left marks and names of 100 kB are shown as text, and nothing runs", async (t) => {
    const console = await consoleFor(t);
    const attacks = [
      `<script>document.title="taken"</script>`,
      `"><img src="/console/icon.svg" onload="document.title='taken'">`,
      `\u202e\u2066gnp.exe\u200b`,
      "\u05d0\u05d1\u05d2 (x)",
      "W".repeat(100_000),
      "\ud800 \uffff \u0007",
    ];
    for (const [n, attack] of attacks.entries()) store(console, attack, n);
    await console.read();
    const { page, complaints, foreign, close } = await open(
      console,
      "/console/enrollments?since=1m&state=refused",
      { viewport: { width: 1_000, height: 700 } },
    );
    const text = await page.locator("tbody").innerText();
    assert.ok(
      text.includes(`<script>document.title="taken"</script>`) &&
        text.includes("\\u202e\\u2066gnp.exe\\u200b"),
    );
    const [long] = console.index.search({ code: "W".repeat(60), limit: 1 }).rows;
    await page.goto(`/console/enrollment?id=${encodeURIComponent(long!.id)}`);
    assert.match(await page.locator("main").innerText(), /\(20\d,\d{3} characters in all\)/);
    for (const path of [
      "/console",
      "/console/letters",
      `/console/enrollment?id=${keyOf(named(attacks[1]!))}`,
    ]) {
      await page.goto(path);
      assert.match(await page.title(), /· connector-registrar$/);
      assert.equal(await page.locator("main script, main img").count(), 0);
      assert.ok((await widthOf(page)) <= 1_000, path);
    }
    assert.deepEqual([complaints, foreign], [[], []]);
    await close();
  });
});

const named = (text: string) => ({ machine: text, connector: text, at: "2026-11-20T09:00:00Z" });

function store(console: Console, attack: string, n: number): void {
  const value = Buffer.from(
    JSON.stringify({
      ...{
        specversion: "1.0",
        id: `${attack.slice(0, 200)}${n}`,
        source: "/x",
        type: "connector.enrolled",
        tenantid: contoso,
      },
      data: {
        ...{ connectorName: attack, machineName: attack, enrollmentDateTime: "2026-11-20T09:00:00Z" },
        ...{ lastCheckinDateTime: "2026-11-20T09:00:00Z", connectorVersion: "6" },
      },
    }),
  );
  const event = console.at(endMs - 1_000, {
    topic: "enrolled",
    partition: 0,
    key: Buffer.from(contoso),
    value,
    headers: [],
  });
  const why = {
    ...refusal("value-not-json", attack.slice(0, 2_000), ["/data/machineName"]),
    code: attack.slice(0, 60),
  };
  console.at(endMs, refused(event, why, endMs - n));
}

/** The name of what has the focus, as a screen reader says it. */
function focused(page: Page): Promise<string> {
  return page.evaluate(`(() => {
    const element = document.activeElement;
    return (element?.ariaLabel ?? element?.labels?.[0]?.textContent ?? element?.textContent ?? "").trim();
  })()`);
}

function widthOf(page: Page): Promise<number> {
  return page.evaluate("document.documentElement.scrollWidth");
}

async function tabTo(page: Page, name: string | RegExp): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    await page.keyboard.press("Tab");
    const now = await focused(page);
    if (typeof name === "string" ? now === name : name.test(now)) return;
  }
  assert.fail(`${name} can't be reached by Tab`);
}
