/** docs/EMULATOR.md names every switch that there is, with an example that works. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { credentialStates, type EntraState, tenantStates } from "../../emulator/entra/state.ts";
import { faultKinds, faultProfile } from "../../emulator/faults.ts";
import { normalisations } from "../../emulator/normalise.ts";
import { defaultBehaviour, listForms } from "../../emulator/settings.ts";
import { documentedLimits } from "../../emulator/throttle.ts";
import { emulatorFor } from "./support.ts";

const page = readFileSync(join(import.meta.dirname, "..", "..", "docs", "EMULATOR.md"), "utf8");

const entraSettings: Readonly<Record<keyof EntraState, true>> = {
  secret: true,
  certificate: true,
  secrets: true,
  certificates: true,
  federated: true,
  identities: true,
  tenants: true,
};
const entraNames = [...Object.keys(entraSettings), ...credentialStates, ...tenantStates];

test("every fault, setting and value has its place on the page", () => {
  const settings = [...Object.keys(faultProfile("none")), ...Object.keys(defaultBehaviour), ...entraNames];
  const names = [...faultKinds, ...settings, ...normalisations, ...listForms];
  const missing = names.filter((name) => !page.includes(`\`${name}\``));
  assert.deepEqual(missing, []);
});

/** What the page tells people to type: the name behind `/_control/`, and the body. */
const examples = [
  ...page.matchAll(/^ {4}curl -X PUT -d '([^']+)' http:\/\/localhost:8088\/_control\/(\w+)$/gm),
].map(([, body, name]) => ({
  name: name!,
  body: body!,
  given: JSON.parse(body!) as Record<string, unknown>,
}));

test("every PUT of the page is taken, and what it gives is what holds then", async (t) => {
  const { send } = await emulatorFor(t, {}, "http");
  const puts = page.match(/curl -X PUT/g)!.length;
  assert.ok(puts > 10);
  assert.equal(examples.length, puts, "each is in a line of its own, in the form that this test reads");
  for (const { name, body, given } of examples) {
    const { status, text, json } = await send("PUT", `/_control/${name}`, body);
    assert.equal(status, 200, `${body}: ${text}`);
    for (const [field, value] of Object.entries(given)) {
      if (field === "profile" || field === "secrets") continue;
      const expected =
        field === "throttle" && value !== null ? { ...documentedLimits, ...(value as object) } : value;
      assert.deepEqual(json[field], expected, field);
    }
  }
});

test("every setting has an example of a PUT, every fault is taken by its name", async (t) => {
  const used = new Set(
    examples.flatMap(({ given }) => [given, given.throttle ?? {}]).flatMap((object) => Object.keys(object)),
  );
  const measures = ["latency", "slowMs", "retryAfterMs", "effectAfterHangUp", "profile"];
  const fields = [defaultBehaviour, documentedLimits, entraSettings].flatMap((object) => Object.keys(object));
  assert.deepEqual(
    [...fields, ...measures].filter((name) => !used.has(name)),
    [],
  );
  const { send } = await emulatorFor(t, {}, "http");
  for (const kind of faultKinds)
    assert.equal((await send("PUT", "/_control/faults", { [kind]: 0.5 })).status, 200, kind);
});

test("the defaults that the page names are those that hold", () => {
  const defaults = { ...defaultBehaviour, ...faultProfile("none"), ...documentedLimits } as Record<
    string,
    unknown
  >;
  const rows = [...page.matchAll(/^\| (`\w+`(?:, `\w+`)*) \| (.+) \|$/gm)];
  const named = ["slowMs", "retryAfterMs", "effectAfterHangUp", ...Object.keys(documentedLimits)];
  const plain = Object.keys(defaultBehaviour).filter((name) => name !== "throttle");
  for (const name of [...named, ...plain]) {
    const [, names, cells] = rows.find(([, cell]) => cell!.split(", ").includes(`\`${name}\``)) ?? [];
    assert.ok(names !== undefined, name);
    const column = cells!.split(" | ")[1]!.split(", ");
    const value = column.length > 1 ? column[names.split(", ").indexOf(`\`${name}\``)]! : column[0]!;
    const shown = value.replaceAll("`", "");
    const expected = defaults[name];
    assert.equal(shown, typeof expected === "object" ? JSON.stringify(expected) : String(expected), name);
  }
});
