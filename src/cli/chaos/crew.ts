/** The workers: processes that are killed, frozen and started again. */
import type { Clock } from "../../ports.ts";
import type { Child, Environment, Processes } from "./processes.ts";

export interface Crew {
  /** Distinct idempotency keys that some worker has told to be registered or duplicate. */
  settled(): number;
  /** False: it is dead already. */
  kill(worker: number, restartAfterMs: number): Promise<boolean>;
  /** False: it is frozen or dead already. */
  freeze(worker: number, forMs: number): boolean;
  /** Frozen, or killed and not started again yet. */
  away(): number;
  /** How workers ended that nobody killed. */
  readonly deserted: readonly string[];
  /** Asks all to end in good order. */
  dismiss(withinMs: number): Promise<void>;
}

interface Member {
  child: Child;
  frozen: boolean;
  starting: boolean;
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
  let dismissed = false;
  const launch = (worker: number): Child => {
    const name = `worker-${worker + 1}`;
    const child = processes.start(name, ["start"], environmentOf(worker), (line) => {
      const key = keyOf(line);
      if (key !== null) settled.add(key);
    });
    void child.ended.then((how) => {
      if (killed.has(child) || dismissed) return;
      deserted.push(`${name} ended by itself: ${how}`);
      // As a supervisor would; one that can't start at all is not tried for ever.
      if (deserted.length < size * 3) members[worker]!.child = launch(worker);
    });
    return child;
  };
  const members: Member[] = [];
  for (let worker = 0; worker < size; worker++) {
    members.push({ child: launch(worker), frozen: false, starting: false });
  }

  return {
    deserted,
    settled: () => settled.size,
    away: () => members.filter(({ frozen, starting }) => frozen || starting).length,
    async kill(worker, restartAfterMs) {
      const member = members[worker]!;
      const { child } = member;
      if (member.starting || !child.isRunning()) return false;
      killed.add(child);
      member.starting = true;
      child.signal("SIGKILL");
      await child.ended;
      member.frozen = false;
      clock.after(restartAfterMs, () => {
        if (dismissed) return;
        member.child = launch(worker);
        member.starting = false;
      });
      return true;
    },
    freeze(worker, forMs) {
      const member = members[worker]!;
      if (member.frozen || member.starting) return false;
      const { child } = member;
      member.frozen = true;
      child.signal("SIGSTOP");
      clock.after(forMs, () => {
        if (member.child !== child) return;
        child.signal("SIGCONT");
        member.frozen = false;
      });
      return true;
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
  if (!/"event":"record-(registered|duplicate)"/.test(line)) return null;
  return /"idempotencyKey":"([^"]+)"/.exec(line)?.[1] ?? null;
}
