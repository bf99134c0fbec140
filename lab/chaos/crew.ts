/** The workers: processes that are killed, frozen and started again. */
import type { Clock } from "../../src/ports.ts";
import { type Child, type Environment, type Processes, registrarProgram } from "./processes.ts";

export interface Crew {
  /** Distinct idempotency keys that some worker has reported as registered or duplicate. */
  settled(): number;
  /** False: it is dead already. */
  kill(worker: number, restartAfterMs: number): Promise<boolean>;
  /** False: it is frozen or dead already. */
  freeze(worker: number, forMs: number): boolean;
  /** Freezes all that run; returns how to resume them. */
  freezeAll(): () => void;
  /** Frozen, or killed and not at work again yet. */
  away(): number;
  /** How workers ended that were not killed. */
  readonly deserted: readonly string[];
  /**
   * In good order: SIGTERM, and started again, maybe as another program, once it has ended. How it ended; null: it is frozen,
   * dead, or has not begun to work yet.
   */
  replace(worker: number, withinMs: number): Promise<string | null>;
  /** It has partitions, or had. */
  isWorking(worker: number): boolean;
  /** 0: it doesn't run. */
  pidOf(worker: number): number;
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

export interface CrewSettings {
  readonly size: number;
  environmentOf(worker: number): Environment;
  /** Default: the worker of this checkout. */
  programOf?(worker: number): string;
  /** Default: what is settled is counted, by keys that are kept. */
  onLine?(worker: number, line: string): void;
  onEnd?(pid: number): void;
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
  working: boolean;
  fault: LoggedFault | null;
}

export function startCrew(processes: Processes, clock: Clock, settings: CrewSettings): Crew {
  const { size, environmentOf, programOf = () => registrarProgram } = settings;
  const settled = new Set<string>();
  const count = (_: number, line: string) => {
    const key = keyOf(line);
    if (key !== null) settled.add(key);
  };
  const { onLine = count } = settings;
  const deserted: string[] = [];
  const killed = new WeakSet<Child>();
  const givenUp = new AbortController();
  let dismissed = false;
  let stops: Stop[] | null = null;
  const launch = (worker: number): Member => {
    const name = `worker-${worker + 1}`;
    const member = { frozen: false, starting: false, working: false, fault: null as LoggedFault | null };
    const program = { command: [programOf(worker), "start"], environment: environmentOf(worker) };
    const child = processes.start(name, program, (line) => {
      onLine(worker, line);
      member.working ||= line.includes('"event":"session-started"');
      member.fault = faultOf(line) ?? member.fault;
    });
    void child.ended.then((how) => {
      settings.onEnd?.(child.pid);
      if (killed.has(child) || dismissed) return;
      if (stops !== null) {
        const again = !stops.some((stop) => stop.worker === worker);
        stops.push({ worker, how, fault: member.fault });
        if (again) members[worker] = launch(worker);
        return;
      }
      deserted.push(`${name} ended by itself: ${how}`);
      // As a supervisor would; one that can't start at all is tried a limited number of times.
      if (deserted.length < size * 3) members[worker] = launch(worker);
      else givenUp.abort();
    });
    return Object.assign(member, { child });
  };
  const members: Member[] = [];
  for (let worker = 0; worker < size; worker++) members.push(launch(worker));

  const endsWithin = async (child: Child, withinMs: number) => {
    const late = Promise.withResolvers<void>();
    const cancel = clock.after(withinMs, late.resolve);
    await Promise.race([child.ended, late.promise]);
    cancel();
    return !child.isRunning();
  };
  const endNow = async (child: Child) => {
    killed.add(child);
    child.signal("SIGKILL");
    await child.ended;
  };
  return {
    deserted,
    givenUp: givenUp.signal,
    settled: () => settled.size,
    away: () => members.filter(({ frozen, starting, working }) => frozen || starting || !working).length,
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
    async replace(worker, withinMs) {
      const member = members[worker]!;
      if (member.starting || member.frozen || !member.working || !member.child.isRunning()) return null;
      member.starting = true;
      const { child } = member;
      killed.add(child);
      child.signal("SIGTERM");
      if (!(await endsWithin(child, withinMs))) child.signal("SIGKILL");
      const how = await child.ended;
      if (how !== "exit code 0") deserted.push(`worker-${worker + 1} was asked to end, and ended by ${how}`);
      if (!dismissed) members[worker] = launch(worker);
      return how;
    },
    isWorking: (worker) => members[worker]!.working,
    pidOf: (worker) => (members[worker]!.child.isRunning() ? members[worker]!.child.pid : 0),
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
      await Promise.all(members.map(({ child }) => endsWithin(child, withinMs)));
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
