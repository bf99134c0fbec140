/** `noisy` and `blocked`: what one tenant's trouble costs the others. */
import assert from "node:assert/strict";
import { assertOnce } from "../backlog.ts";
import { type Bench, failIfDead, start } from "../contenders.ts";
import { type KafkaPlace, openKafkaPlace, type Stored } from "../kafka-place.ts";
import { type Measures, percentile } from "../numbers.ts";
import { latencies, paced } from "../paced.ts";
import { atMost, type Scenario } from "../scenario.ts";
import { backlogOf, connectorNameIn, type Event, tenantIds } from "../workload.ts";

interface Trouble {
  /** Records of the one tenant, in front of what the others send. */
  readonly records: number;
  readonly isBlocked: boolean;
}

const writes = 100;
const windowMs = 20_000;
const settleTimeoutMs = 120_000;

async function run(bench: Bench, trouble: Trouble): Promise<Measures> {
  const seconds = bench.smoke ? 2 : 40;
  const records = bench.smoke ? 150 : trouble.records;
  const [one, ...others] = tenantIds(bench.smoke ? 8 : 50) as [string, ...string[]];
  await bench.graph.setUp({
    latencyMs: 50,
    throttle: { writes, windowMs },
    blockedTenants: trouble.isBlocked ? [one] : [],
  });
  const kafka = await openKafkaPlace(bench.brokers);
  try {
    const running = await start(bench, "registrar", { kafka, tenants: [one, ...others], inFlight: 32 });
    try {
      await running.ready();
      const count = others.length * seconds;
      const send = (events: Iterable<Event>) =>
        paced(events, others.length, (event) => kafka.produce([event]));
      const settled = (expected: number) =>
        othersRegistered(kafka, { expected, one }, () => failIfDead(running.child));
      await send(backlogOf(others, others.length * (bench.smoke ? 1 : 5), "warm"));
      await send(backlogOf(others, count, "quiet"));
      await kafka.produce(backlogOf([one], records, "one"));
      await send(backlogOf(others, count, "flood"));
      const stored = await settled(count * 2 + others.length * (bench.smoke ? 1 : 5));
      if (trouble.isBlocked) await assertNothingLost(kafka, stored, one);
      const p99 = async (phase: string) => {
        const took = await latencies(kafka, stored, (name) => name.startsWith(`${phase}-`));
        assert.equal(took.size, count, `${took.size} of ${count} in the ${phase} phase`);
        return { p50: percentile([...took.values()], 0.5), p99: percentile([...took.values()], 0.99) };
      };
      const quiet = await p99("quiet");
      const flood = await p99("flood");
      return {
        p50Ms: flood.p50,
        p99Ms: flood.p99,
        p50MsWithout: quiet.p50,
        p99MsWithout: quiet.p99,
        p99Ratio: flood.p99 / quiet.p99,
        rssMb: running.child.peakRssMb(),
      };
    } finally {
      await running.stop();
    }
  } finally {
    await kafka.remove();
  }
}

/** Waits until all that others than `one` sent is registered; throws if any of it is there twice. */
async function othersRegistered(
  kafka: KafkaPlace,
  { expected, one }: { readonly expected: number; readonly one: string },
  check: () => void,
): Promise<Stored[]> {
  const deadlineMs = Date.now() + settleTimeoutMs;
  let lastCount = -1;
  while (true) {
    check();
    const count = await kafka.count("registered");
    if (count >= expected && count !== lastCount) {
      lastCount = count;
      const stored = await kafka.readAll("registered");
      const ofOthers = stored.filter(
        ({ value }) => !connectorNameIn(value).startsWith(`one-${one.slice(0, 8)}`),
      );
      if (ofOthers.length >= expected) {
        assertOnce(ofOthers, expected);
        assertOnce(stored, stored.length);
        return stored;
      }
    }
    assert.ok(Date.now() < deadlineMs, `only ${count} registered, ${expected} of the others were sent`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** The blocked tenant's records wait: none is registered, none dead-lettered. */
async function assertNothingLost(kafka: KafkaPlace, stored: readonly Stored[], one: string): Promise<void> {
  const ofOne = stored.filter(({ value }) => connectorNameIn(value).startsWith(`one-${one.slice(0, 8)}`));
  assert.equal(ofOne.length, 0, "records of the blocked tenant were registered");
  assert.equal(await kafka.count("dlq"), 0, "records were dead-lettered");
}

const ratio = (text: string) => atMost("p99Ratio", 1.1, text);

export const noisy: Scenario = {
  name: "noisy",
  setUp: "one tenant floods 10,000, 49 send 1/s, 100 writes in 20 s for each",
  contenders: ["registrar"],
  targets: [ratio("p99 of the 49 <= 1.1 x their p99 without the flood")],
  run: (bench) => run(bench, { records: 10_000, isBlocked: false }),
};

export const blocked: Scenario = {
  name: "blocked",
  setUp: "one tenant answers 403 throughout, 5,000 of its records in front, 49 send 1/s",
  contenders: ["registrar"],
  targets: [ratio("p99 of the others <= 1.1 x their p99 without it")],
  run: (bench) => run(bench, { records: 5_000, isBlocked: true }),
};
