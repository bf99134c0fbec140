import { type Broker, createBroker } from "../../../lab/simulation/broker.ts";
import { createCoordinator } from "../../../lab/simulation/coordinator.ts";
import { calmLog } from "../../../lab/simulation/fault-rates.ts";
import { createGroup } from "../../../lab/simulation/group.ts";
import { createHistory } from "../../../lab/simulation/history.ts";
import { createLink } from "../../../lab/simulation/link.ts";
import { createProcess } from "../../../lab/simulation/process.ts";
import { createRng } from "../../../lab/simulation/rng.ts";
import { createScheduler, type Scheduler } from "../../../lab/simulation/scheduler.ts";
import { createSimLog } from "../../../lab/simulation/sim-log.ts";
import type { Clock, LogTail } from "../../../src/ports.ts";
import type { Features, Harness, Log } from "../../contracts/event-log/harness.ts";
import { eventLogContract } from "../../contracts/event-log.ts";

const features: Features = { groups: true, expires: true, headerOrderAcrossNames: true, timeoutMs: 20_000 };
const timing = {
  sessionTimeoutMs: 30_000,
  rebalanceTimeoutMs: 60_000,
  heartbeatMs: 3_000,
  marginMs: 1_000,
  instanceId: null,
  publishTimeoutMs: 5_000,
};

eventLogContract("simulated log", features, openHarness);

function openHarness(): Promise<Harness> {
  const rng = createRng("contract");
  const scheduler = createScheduler(rng.fork("schedule"));
  const history = createHistory(scheduler.nowMs);
  const broker = createBroker(3, { first: 0, holes: 0 }, { scheduler, history, rng: rng.fork("broker") });
  const group = createGroup({ partitionCount: 3, isUp: broker.isUp }, { scheduler, history, rng });
  const coordinator = createCoordinator(broker, group, { scheduler, history });
  let clients = 0;
  const open = (): { log: Log; clock: Clock } => {
    const own = { scheduler, history, rng: rng.fork(`client ${++clients}`) };
    const onThrow = (error: unknown): void => {
      throw error;
    };
    const process = createProcess(`client-${clients}`, own, { onThrow });
    const kernel = { orphanMs: 0, orphanRate: 0, strike: () => {} };
    const link = createLink(process, own, { ...kernel, broker, faultRates: () => calmLog });
    const bounds = { commitTimeoutMs: 3_000, lateMaxMs: 1_000, settleMs: 10_000, isDenied: () => false };
    const { log } = createSimLog({ ...own, broker, coordinator, ...bounds }, { process, link }, timing);
    return { log: { ...log, tail: tailOf(broker, scheduler) }, clock: process.clock };
  };
  let isClosed = false;
  void keepTimeMoving(scheduler, () => isClosed);
  return Promise.resolve({
    ...open(),
    another: () => Promise.resolve(open().log),
    trim: (topic, partition, beforeOffset) =>
      Promise.resolve(broker.truncate(topic, partition, beforeOffset)),
    close: () => {
      isClosed = true;
      return Promise.resolve();
    },
  });
}

async function keepTimeMoving(scheduler: Scheduler, isClosed: () => boolean): Promise<void> {
  while (!isClosed()) {
    await scheduler.run(isClosed, Number.POSITIVE_INFINITY);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Workers don't tail; the contract wants it of whole logs. */
function tailOf(broker: Broker, scheduler: Scheduler): LogTail["tail"] {
  // biome-ignore lint/complexity/useMaxParams: LogTail.tail of ports.ts
  return (topic, from, onRecords, signal) => {
    const next = Array.from({ length: broker.partitionCount }, (_, partition) => {
      const { start, end } = broker.bounds(topic, partition);
      return from === "start" ? start : end;
    });
    const deliver = (): void => {
      for (let partition = 0; partition < next.length && !signal.aborted; partition++) {
        const records = broker.fetch(topic, partition, { fromOffset: next[partition]!, max: 100 });
        if (records.length === 0) continue;
        next[partition] = records.at(-1)!.offset + 1;
        onRecords(records);
        scheduler.after(0, deliver);
      }
    };
    broker.onWake(() => void scheduler.after(0, deliver));
    scheduler.after(0, deliver);
    if (signal.aborted) return Promise.resolve({ ok: true });
    return new Promise((resolve) => signal.addEventListener("abort", () => resolve({ ok: true })));
  };
}
