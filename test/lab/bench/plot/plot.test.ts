/** Charts of a run: all that was compared is in them, they are well-formed whatever the run holds, and README's are of the kept run. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { axisFor } from "../../../../lab/bench/plot/axis.ts";
import { type BarChart, barChart } from "../../../../lab/bench/plot/bar-chart.ts";
import { chartsOf } from "../../../../lab/bench/plot/charts.ts";
import { parseRun } from "../../../../lab/bench/plot/saved-run.ts";
import { writeCharts } from "../../../../lab/bench/plot/write.ts";
import { scenarios } from "../../../../lab/bench/run.ts";
import { allOf, parseXml } from "./well-formed.ts";

const names = scenarios.map(({ name }) => name);
const pictures = join(import.meta.dirname, "../../../../lab/bench/pictures");
const about = { machine: "2 x CPU", node: "v24", broker: "java", date: "2026-11-27" };
const drain = {
  scenario: "drain",
  runs: 3,
  registrar: { eventsPerSecond: 5780, cpuUsPerEvent: 61.5, rssMb: 301 },
  naive: { eventsPerSecond: 9.6, cpuUsPerEvent: 1420, rssMb: 126 },
  floor: { eventsPerSecond: 6055, cpuUsPerEvent: 36.8, eventsPerSecondPosts: 6055 },
  about,
};
const latency = {
  scenario: "latency",
  runs: 1,
  registrar: { p50Ms: 4, p99Ms: 7, p50MsEmbedded: 4.3, p99MsEmbedded: 9.25, readyMs: 700, rssMb: 160 },
  bento: { p50Ms: 3, p99Ms: 6, rssMb: 100, cpuUsPerEvent: 2000 },
};

function chartsFrom(value: unknown) {
  const parsed = parseRun(JSON.stringify(value), names);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return chartsOf(parsed.run);
}

/** Also that every attribute that is a coordinate is a number within the picture. */
function drawn(chart: BarChart) {
  const svg = parseXml(barChart(chart));
  assert.equal(svg.name, "svg");
  const [width, height] = [Number(svg.attributes.width), Number(svg.attributes.height)];
  for (const element of ["rect", "line", "text"].flatMap((name) => allOf(svg, name)))
    for (const [name, value] of Object.entries(element.attributes))
      if (/^(?:x|y|x1|x2|y1|y2|width|height|rx)$/.test(name)) {
        assert.match(value, /^\d+(?:\.\d)?$/, `${name} of ${element.name}`);
        assert.ok(Number(value) <= (/^[xw]/.test(name) ? width : height), `${name}="${value}" is outside`);
      }
  const texts = (kind: string) =>
    allOf(svg, "text").flatMap(({ attributes, text }) => (attributes.class === kind ? [text] : []));
  return { svg, texts };
}

test("a run of drain is three charts: pace, CPU and memory, each with all who have the number", () => {
  const charts = chartsFrom(drain);
  assert.deepEqual(
    charts.map(({ name, chart }) => [name, chart.bars.map(({ label, text }) => `${label} ${text}`)]),
    [
      ["drain-pace", ["registrar 5,780", "naive 9.6", "floor 6,055"]],
      ["drain-cpu", ["registrar 61.5", "naive 1,420", "floor 36.8"]],
      ["drain-memory", ["registrar 301", "naive 126"]],
    ],
  );
});

test("a chart shows each name, each value, round ticks with their unit, where and when; in words too", () => {
  const { svg, texts } = drawn(chartsFrom(drain)[0]!.chart);
  assert.deepEqual(texts("label"), ["registrar", "naive", "floor"]);
  assert.deepEqual(texts("value"), ["5,780", "9.6", "6,055"]);
  assert.deepEqual(texts("tick"), ["0", "2,000", "4,000", "6,000", "8,000"]);
  const notes = texts("note").join("\n");
  for (const part of [
    "registered events per second",
    "more is better",
    "medians of 3 runs",
    "2 x CPU",
    "2026-11-27",
  ])
    assert.ok(notes.includes(part), part);
  const [words] = allOf(svg, "desc");
  assert.match(words!.text, /registrar 5,780; naive 9\.6; floor 6,055/);
  assert.equal(svg.attributes["aria-labelledby"], "title desc");
});

test("bars are as long as their values, and a tiny value is still seen", () => {
  const { svg } = drawn(chartsFrom(drain)[0]!.chart);
  const bar = (kind: string) =>
    Number(allOf(svg, "rect").find(({ attributes }) => attributes.class === kind)!.attributes.width);
  assert.ok(Math.abs(bar("own") / bar("bound") - 5780 / 6055) < 0.001);
  assert.equal(bar("other"), 1.5);
});

test("latency is p50 and p99, on Kafka and on the embedded log", () => {
  const [chart, ...others] = chartsFrom(latency);
  assert.deepEqual(others, []);
  assert.deepEqual(drawn(chart!.chart).texts("label"), [
    ...["registrar, p50", "registrar, p99", "registrar, embedded, p50", "registrar, embedded, p99"],
    ...["bento, p50", "bento, p99"],
  ]);
});

test("a run of all scenarios gives the charts of those that compare", () => {
  const throttle = { scenario: "throttle", runs: 1, registrar: { eventsPerSecond: 250, rssMb: 280 } };
  const charts = chartsFrom({ scenario: "all", runs: 1, results: [drain, latency, throttle], about });
  assert.deepEqual(
    charts.map(({ name }) => name),
    ["drain-pace", "drain-cpu", "drain-memory", "latency-latency"],
  );
});

test("a smoke run says so", () => {
  const [chart] = chartsFrom({ ...drain, about: { ...about, isSmoke: true } });
  assert.ok(
    drawn(chart!.chart)
      .texts("note")
      .some((note) => note.includes("measures nothing")),
  );
});

test("whatever a chart holds, it is well-formed, within its edges, and without NaN", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom(`</text><script>"&\u0000'`, "\ud800", "&amp;"),
  );
  const value = fc.oneof(
    fc.double({ min: -1e15, max: 1e15, noNaN: true }),
    fc.constantFrom(0, -0, 5e-324, 1e15),
  );
  const bar = fc.record({
    label: text,
    value,
    text,
    kind: fc.constantFrom("own" as const, "other" as const, "bound" as const),
  });
  const chart = fc.record({
    title: text,
    axisTitle: text,
    better: fc.constantFrom("more" as const, "less" as const),
    bars: fc.array(bar, { minLength: 1, maxLength: 8 }),
    notes: fc.array(text, { maxLength: 3 }),
  });
  fc.assert(
    fc.property(chart, (one) => {
      const { svg, texts } = drawn(one);
      assert.equal(allOf(svg, "script").length, 0);
      assert.equal(texts("value").length, one.bars.length);
      assert.doesNotMatch(texts("tick").join(" "), /NaN|∞/);
    }),
    { numRuns: 300 },
  );
});

test("an axis holds its values, from 0, with few round ticks", () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-6, max: 1e15, noNaN: true }), (most) => {
      const { from, to, ticks } = axisFor([most]);
      assert.equal(from, 0);
      assert.ok(to >= most && to <= most * 2, `${to} for ${most}`);
      assert.ok(ticks.length >= 3 && ticks.length <= 8, `${ticks.length} ticks`);
      assert.equal(new Set(ticks.map(({ text }) => text)).size, ticks.length);
    }),
  );
});

const refused: readonly [string, string, RegExp][] = [
  ["nothing", "", /neither it nor its last line is JSON/],
  ["a table", "  eventsPerSecond  5780", /neither it nor its last line is JSON/],
  ["null", "null", /the result is null, not an object/],
  ["a list", "[]", /the result is \[\], not an object/],
  ["no results", '{"results":[]}', /results is \[\]/],
  [
    "an unknown scenario",
    '{"scenario":"../../etc/passwd","runs":1}',
    /scenario is "\.\.\/\.\.\/etc\/passwd"/,
  ],
  ["no number of runs", '{"scenario":"drain","runs":0}', /runs is 0/],
  [
    "a number too large to be one",
    '{"scenario":"drain","runs":1,"registrar":{"rssMb":1e999}}',
    /registrar\.rssMb is null/,
  ],
  ["a text for a number", '{"scenario":"drain","runs":1,"naive":{"rssMb":"<b>"}}', /naive\.rssMb is "<b>"/],
  ["null for a number", '{"scenario":"drain","runs":1,"naive":{"rssMb":null}}', /naive\.rssMb is null/],
  ["a list for numbers", '{"scenario":"drain","runs":1,"floor":[1]}', /floor is \[1\]/],
  [
    "a scenario twice",
    '{"results":[{"scenario":"drain","runs":1},{"scenario":"drain","runs":1}]}',
    /drain is in it twice/,
  ],
  [
    "a machine that is not text",
    '{"scenario":"drain","runs":1,"about":{"machine":1}}',
    /about\.machine is 1/,
  ],
  ["control characters", '{"scenario":"\\u001b[2J","runs":1}', /scenario is "\\u001b\[2J"/],
];

for (const [what, text, reason] of refused)
  test(`refused, with its place: ${what}`, () => {
    const parsed = parseRun(text, names);
    assert.ok(!parsed.ok);
    assert.match(parsed.reason, reason);
  });

test("the result is the last line of all that was printed", () => {
  const parsed = parseRun(`> bench\n\n  1/1 registrar in 9 s: {}\n${JSON.stringify(drain)}\n\n`, names);
  assert.ok(parsed.ok);
  assert.equal(parsed.run.results[0]!.runs, 3);
  // A formatter may have had it.
  assert.deepEqual(parseRun(JSON.stringify(drain, null, 2), names), parsed);
});

test("a run that compares nothing, and one that is there twice, are refused before a file is written", () => {
  const alone = { scenario: "drain", runs: 1, registrar: { eventsPerSecond: 1 } };
  const source = (name: string, value: unknown) => ({ name, text: JSON.stringify(value) });
  const directory = join(tmpdir(), "never-made");
  const one = writeCharts([source("a", alone)], names, directory);
  assert.ok("fix" in one && /nothing to draw/.test(one.message));
  const two = writeCharts([source("a", drain), source("b", drain)], names, directory);
  assert.ok("fix" in two && /^b can't be drawn: drain-pace\.svg/.test(two.message), JSON.stringify(two));
});

test("the pictures of README.md are those of the kept run", () => {
  const directory = mkdtempSync(join(tmpdir(), "registrar-plot-"));
  try {
    const text = readFileSync(join(pictures, "run.json"), "utf8");
    const written = writeCharts([{ name: "run.json", text }], names, directory);
    assert.ok(!("fix" in written), JSON.stringify(written));
    const kept = readdirSync(pictures).filter((name) => name.endsWith(".svg"));
    assert.deepEqual(kept.toSorted(), readdirSync(directory).toSorted());
    for (const name of kept)
      assert.equal(
        readFileSync(join(pictures, name), "utf8"),
        readFileSync(join(directory, name), "utf8"),
        name,
      );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
