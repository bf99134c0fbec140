/** The workers: processes that are killed, frozen and started again. */
import type { Clock } from "../../src/ports.ts";
import { type Child, commands, type Environment, type Processes } from "./processes.ts";

export interface Crew {
  /** Distinct idempotency keys that some worker has told to be registered or duplicate. */
  settled(): number;
  /** False: it is dead already. */
  kill(worker: number, restartAfterMs: number): Promise<boolean>;
  /** False: it is frozen or dead already. */
  freeze(worker: number, forMs: number): boolean;
  /** All that run; returns how to let them go on. */
  freezeAll(): () => void;
  /** Frozen, or killed and not started again yet. */
  away(): number;
  /** How workers ended that nobody killed. */
  readonly deserted: readonly string[];
  /** Aborted once that happened so often that none is started again. */
  readonly givenUp: AbortSignal;
  /**
   * From now on a worker is expected to stop by itself: it is started once more, as a supervisor would, and is expected
   * to stop again. `readmit` ends that: all are started that don't run, those that still do are killed first.
   */
  expectStops(): Stops;
  /** Asks all to end in good order. */
  dismiss(withinMs: number): Promise<void>;
}

export interface Stop {
  readonly worker: number;
  readonly how: string;
  /** The last that it logged; null: none. */
  readonly fault: LoggedFault | null;
}

export interface LoggedFault {
  readonly code: string;
  readonly message: string;
}

export interface Stops {
  readonly seen: readonly Stop[];
  running(): number;
  readmit(): Promise<void>;
}

interface Member {
  child: Child;
  frozen: boolean;
  starting: boolean;
  fault: LoggedFault | null;
}

export function startCrew(
  processes: Processes,
  clock: Clock,
  size: number,
  environmentOf: (worker: number) => Environment,
): Crew {
  const settled = new Set<string>();
  const deserted: string[] = [];
  const killed = new WeakSet<Child>();
  const givenUp = new AbortController();
  let dismissed = false;
  let stops: Stop[] | null = null;
  const launch = (worker: number): Member => {
    const name = `worker-${worker + 1}`;
    const member = { frozen: false, starting: false, fault: null as LoggedFault | null };
    const child = processes.start(name, commands.registrar, environmentOf(worker), (line) => {
      const key = keyOf(line);
      if (key !== null) settled.add(key);
      member.fault = faultOf(line) ?? member.fault;
    });
    void child.ended.then((how) => {
      if (killed.has(child) || dismissed) return;
      if (stops !== null) {
        const again = !stops.some((stop) => stop.worker === worker);
        stops.push({ worker, how, fault: member.fault });
        if (again) members[worker] = launch(worker);
        return;
      }
      deserted.push(`${name} ended by itself: ${how}`);
      // As a supervisor would; one that can't start at all is not tried for ever.
      if (deserted.length < size * 3) members[worker] = launch(worker);
      else givenUp.abort();
    });
    return Object.assign(member, { child });
  };
  const members: Member[] = [];
  for (let worker = 0; worker < size; worker++) members.push(launch(worker));

  const endNow = async (child: Child) => {
    killed.add(child);
    child.signal("SIGKILL");
    await child.ended;
  };
  return {
    deserted,
    givenUp: givenUp.signal,
    settled: () => settled.size,
    away: () => members.filter(({ frozen, starting }) => frozen || starting).length,
    async kill(worker, restartAfterMs) {
      const member = members[worker]!;
      if (member.starting || !member.child.isRunning()) return false;
      member.starting = true;
      await endNow(member.child);
      member.frozen = false;
      clock.after(restartAfterMs, () => {
        if (!dismissed) members[worker] = launch(worker);
      });
      return true;
    },
    freeze(worker, forMs) {
      const member = members[worker]!;
      if (member.frozen || member.starting) return false;
      member.frozen = true;
      member.child.signal("SIGSTOP");
      clock.after(forMs, () => {
        if (members[worker] !== member || member.starting) return;
        member.child.signal("SIGCONT");
        member.frozen = false;
      });
      return true;
    },
    freezeAll() {
      const frozen = members.filter(({ child }) => child.isRunning());
      for (const { child } of frozen) child.signal("SIGSTOP");
      return () => {
        for (const { child } of frozen) child.signal("SIGCONT");
      };
    },
    expectStops() {
      const seen: Stop[] = [];
      stops = seen;
      return {
        seen,
        running: () => members.filter(({ child }) => child.isRunning()).length,
        async readmit() {
          await Promise.all(
            members.filter(({ child }) => child.isRunning()).map(({ child }) => endNow(child)),
          );
          stops = null;
          for (const worker of members.keys()) members[worker] = launch(worker);
        },
      };
    },
    async dismiss(withinMs) {
      dismissed = true;
      for (const { child } of members) child.signal("SIGTERM");
      const all = Promise.all(members.map(({ child }) => child.ended));
      const late = Promise.withResolvers<void>();
      const cancel = clock.after(withinMs, late.resolve);
      await Promise.race([all, late.promise]);
      cancel();
      for (const [worker, { child }] of members.entries()) {
        if (child.isRunning())
          deserted.push(`worker-${worker + 1} did not end within ${withinMs} ms of SIGTERM`);
      }
    },
  };
}

/** Of a worker's log line about something settled. */
function keyOf(line: string): string | null {
  // Refused for its tenant, it has no key; where it stood tells it from others.
  if (/"event":"record-refused".*"tenant-not-allowed"/.test(line))
    return /"at":(\{[^}]*\}|"[^"]*")/.exec(line)?.[1] ?? null;
  if (!/"event":"record-(registered|duplicate)"/.test(line)) return null;
  return /"idempotencyKey":"([^"]+)"/.exec(line)?.[1] ?? null;
}

/** What a worker's log line says about why it stops. */
function faultOf(line: string): LoggedFault | null {
  if (!/"event":"fault"|"level":"fatal"/.test(line)) return null;
  const { code, message, msg } = JSON.parse(line);
  return { code: String(code), message: String(message ?? msg) };
}
