import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import fc from "fast-check";
import Schema from "typebox/schema";
import { parseTenants, parseTenantsNow, runNow } from "../../src/tenants/parse.ts";

const id = (n: number) => `${n.toString(16).padStart(8, "0")}-0000-4000-8000-00000000abcd`;
const entry = (n: number, more: object = {}) => ({ tenantId: id(n), ...more });
const read = (value: unknown) =>
  parseTenantsNow(Buffer.from(typeof value === "string" ? value : JSON.stringify(value)));
const problemsOf = (value: unknown): string[] => {
  const parsed = read(value);
  assert(!parsed.ok, "it was taken");
  return parsed.problems.map(({ pointer, text }) => `${pointer} ${text}`);
};

suite("a tenants file", () => {
  test("is taken with all that an entry may say, its ids in lower case and in its order", () => {
    const credential = {
      kind: "client-certificate",
      certificateFile: "/run/secrets/a.pem",
      passwordFile: "/run/b",
      sendChain: true,
    };
    const all = {
      name: "Contoso",
      cloud: "us-gov",
      clientId: id(9),
      credential,
      writesPer20s: 0,
      paused: true,
    };
    const parsed = read({
      $schema: "tenants.schema.json",
      tenants: [entry(2, all), { tenantId: id(1).toUpperCase() }],
    });
    assert(parsed.ok);
    assert.deepEqual([...parsed.content.tenants.values()], [entry(2, all), entry(1)]);
  });

  test("may begin with the mark that editors on Windows write", () => {
    assert.equal(read(`\ufeff${JSON.stringify({ tenants: [entry(1)] })}`).ok, true);
  });

  test("is refused with every bad entry named by its pointer", () => {
    const tenants = [
      entry(1),
      { tenantId: id(1).toUpperCase() },
      { tenantId: "contoso", cloud: "mars", paused: "no", writesPer20s: -1, colour: "red" },
      { name: "" },
      entry(4, { credential: { kind: "client-secret", secret: "hunter2" } }),
      entry(5, { credential: { kind: "password" } }),
      entry(6, { credential: "hunter2" }),
      7,
    ];
    assert.deepEqual(problemsOf({ tenants }).sort(), [
      `/tenants/1/tenantId repeats ${id(1)}, which stands there before: keep one of them`,
      "/tenants/2/cloud is none of global, us-gov, us-dod, china",
      "/tenants/2/colour is not a known member",
      "/tenants/2/paused must be of type boolean",
      "/tenants/2/tenantId is not a GUID",
      "/tenants/2/writesPer20s is out of range: minimum 0",
      "/tenants/3/name is empty",
      "/tenants/3/tenantId is missing",
      "/tenants/4/credential/secret is not a known member",
      "/tenants/4/credential/secretFile is missing",
      "/tenants/5/credential/kind must be one of client-secret, client-certificate, workload-identity, managed-identity-federated",
      "/tenants/6/credential must be an object",
      "/tenants/7 must be of type object",
    ]);
  });

  const whole: readonly (readonly [string, string | Uint8Array, RegExp])[] = [
    ["empty", "", /^ is empty: write/],
    ["blank", " \n", /^ is not JSON/],
    [
      "cut off within an entry",
      `{"tenants":[{"tenantId":"${id(1)}"`,
      /^\/tenants\/0 is cut off: the file ends within it$/,
    ],
    ["cut off after an entry", `{"tenants":[{"tenantId":"${id(1)}"}`, /^\/tenants\/0 is cut off/],
    ["cut off after the entries", `{"tenants":[{"tenantId":"${id(1)}"}]`, /^ is not JSON/],
    [
      "a comma too many",
      `{"tenants":[{"tenantId":"${id(1)}"},]}`,
      /^\/tenants\/1 is missing: there is a comma too many$/,
    ],
    ["no list", "{}", /^\/tenants is missing$/],
    ["another value for the list", `{"tenants":{}}`, /^\/tenants must be of type array$/],
    [
      "no tenant at all",
      `{"tenants":[]}`,
      /^\/tenants is empty: to serve no tenant, stop the worker or pause the tenants$/,
    ],
    ["two lists", `{"tenants":[{"tenantId":"${id(1)}"}],"tenants":[{}]}`, /^\/tenants stands there twice$/],
    [
      "an unknown member",
      `{"tenants":[{"tenantId":"${id(1)}"}],"tenant":1}`,
      /^\/tenant is not a known member$/,
    ],
  ];
  for (const [name, text, expected] of whole)
    test(`that is or has ${name} is refused, and nothing else is said of it`, () => {
      const problems = problemsOf(text);
      assert.equal(problems.length, 1);
      assert.match(problems[0]!, expected);
    });

  test("in another encoding, or larger than is read, is refused", () => {
    const refusal = (bytes: Uint8Array) => {
      const parsed = parseTenantsNow(bytes);
      assert(!parsed.ok);
      return parsed.problems[0]!.text;
    };
    assert.equal(refusal(Buffer.from("\ufeff{}", "utf16le")), "is UTF-16: save it as UTF-8");
    assert.equal(refusal(Buffer.from([123, 0xe4, 125])), "is not UTF-8: save it as UTF-8");
    assert.match(refusal(Buffer.alloc(32 * 1024 * 1024 + 1, " ")), /^is 33554433 bytes long/);
  });

  test("that is not JSON is reported without its contents", () => {
    const problems = problemsOf(`{"tenants":[{"tenantId":"${id(1)}","credential":{"secret": hunter2}}]}`);
    assert.deepEqual(problems.length, 1);
    assert.doesNotMatch(problems.join(), /hunter/);
    assert.match(problems[0]!, /^\/tenants\/0 is not JSON/);
  });

  test("of many bad entries shows the first fifty, and how many more there are", () => {
    const parsed = read({ tenants: Array.from({ length: 80 }, () => ({ tenantId: "x" })) });
    assert(!parsed.ok);
    assert.equal(parsed.problems.length, 50);
    assert.equal(parsed.more, 30);
  });

  test("is read in many small steps, and gives the same as in one go", () => {
    const bytes = Buffer.from(JSON.stringify({ tenants: Array.from({ length: 2_000 }, (_, n) => entry(n)) }));
    const steps = [...parseTenants(bytes)].length;
    assert(steps >= 30, `${steps} steps`);
    assert.deepEqual(runNow(parseTenants(bytes)), parseTenantsNow(bytes));
  });

  test("whatever its texts hold, is cut where JSON.parse sees an entry's end, at any indentation", () => {
    const name = fc.string({ unit: "binary", minLength: 1, maxLength: 20 });
    const names = fc.array(fc.oneof(name, fc.constantFrom('"', "\\", '\\"]},{', "[{", "}]")), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(names, fc.constantFrom(0, 1, 4), (all, indent) => {
        const tenants = all.map((one, n) => entry(n, { name: one.toWellFormed() }));
        const parsed = read(JSON.stringify({ $schema: all[0]!.toWellFormed(), tenants }, null, indent));
        assert(parsed.ok, JSON.stringify(parsed));
        assert.deepEqual([...parsed.content.tenants.values()], tenants);
      }),
      { numRuns: 40 },
    );
  });

  test("whatever its bytes, is taken or refused, and never throws", () => {
    const text = JSON.stringify({ tenants: [entry(1, { name: "a" }), entry(2)] });
    const cut = fc.tuple(fc.nat(text.length), fc.nat(text.length), fc.string({ maxLength: 3 }));
    fc.assert(
      fc.property(cut, ([from, to, between]) => {
        const changed = text.slice(0, from) + between + text.slice(to);
        const parsed = read(changed);
        if (parsed.ok) JSON.parse(changed);
        else assert(parsed.problems.length > 0);
      }),
      { numRuns: 2_000 },
    );
  });
});

test("the published schema takes what the worker takes, and refuses an entry that it refuses", () => {
  const file = join(import.meta.dirname, "..", "..", "schemas", "tenants.schema.json");
  const schema = Schema.Compile(JSON.parse(readFileSync(file, "utf8")));
  const credential = { kind: "workload-identity", tokenFile: "/t" };
  assert(schema.Check({ tenants: [entry(1, { credential, paused: false })] }));
  assert(!schema.Check({ tenants: [entry(1, { credential: { ...credential, kind: "other" } })] }));
  assert(!schema.Check({ tenants: [] }));
  assert(!schema.Check({ tenants: [{ tenantId: "x" }] }));
});
