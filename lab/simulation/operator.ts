/**
 * What an operator does when a worker stopped with a fault: what the fault says, if that is safe. A worker whose fault
 * offers no safe way to continue stays stopped: a run ends so in which the log lost what the worker relies on.
 */
import type { Problem } from "../../src/problem.ts";
import type { ProcessSettings } from "./process-settings.ts";

export interface Operator {
  /** What the next life is started with. */
  configure(settings: ProcessSettings): ProcessSettings;
  /** False: it must not be started again. `isHarmed`: the log lost records that it had acknowledged. */
  handle(fault: Problem, isHarmed: boolean): boolean;
}

/** Whatever it lost is still there in another topic. */
const startAgain = "parked-copy-lost";
const continueAdvice = "ON_RETENTION_GAP=continue";

export function createOperator(): Operator {
  let omitsIds = false;
  let goesOnOnce = false;
  return {
    configure(settings) {
      const changed = {
        ...settings,
        sendId: settings.sendId && !omitsIds,
        onRetentionGap: goesOnOnce ? ("continue" as const) : settings.onRetentionGap,
      };
      goesOnOnce = false;
      return changed;
    },
    handle({ code, message, fix }, isHarmed) {
      if (code === "graph-ids-refused") omitsIds = true;
      goesOnOnce = fix.includes(continueAdvice);
      return goesOnOnce || !isHarmed || !namesTopic(message) || code === startAgain;
    },
  };
}

/** Does a fault say which topic it is about? */
export function namesTopic(message: string): boolean {
  return /\b(enrolled|retry|registered|dlq)\b/.test(message);
}
