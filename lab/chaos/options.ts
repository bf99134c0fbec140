/** The options as typed, and what they ask for. */
import type { Problem } from "../../src/problem.ts";
import type { GraphFaults } from "./graph-process.ts";
import { checkOtherVersion } from "./versions.ts";

export interface ChaosFlags {
  readonly events: number;
  readonly brokers: "1" | "3";
  readonly kills: number;
  readonly freezes: number;
  readonly brokerRestarts: number;
  readonly brokerFreezes?: number;
  readonly linkCuts?: number;
  readonly uncleanElection?: true;
  readonly tenantChanges?: number;
  readonly otherVersion?: string;
  readonly updates?: number;
  readonly ids: "honour" | "ignore";
  readonly graphFaults: GraphFaults;
  readonly flavor: "kafka" | "event-hubs";
  /** A soak. */
  readonly hours?: number;
  /** Rolling restarts alone. */
  readonly rolling?: true;
  readonly static?: true;
  /** What the workers run in place of the sources. */
  readonly program?: string;
  readonly rate: number;
  readonly seed: number;
  readonly timeout: number;
  readonly keepLogs?: true;
  readonly json?: true;
}

export type OptionsResult =
  | { readonly ok: true; readonly options: ChaosOptions }
  | { readonly ok: false; readonly problem: Problem };

/** Fewer would all be emitted before the records are lost. */
const uncleanEventsMin = 600;
const ofThree = { brokerFreezes: 2, linkCuts: 4 };

export function chaosOptions(flags: ChaosFlags): OptionsResult {
  const { events, kills, freezes, brokerRestarts, seed } = flags;
  const brokers: 1 | 3 = flags.brokers === "3" ? 3 : 1;
  const defaults = brokers === 3 ? ofThree : { brokerFreezes: 0, linkCuts: 0 };
  const brokerFreezes = flags.brokerFreezes ?? defaults.brokerFreezes;
  const linkCuts = flags.linkCuts ?? defaults.linkCuts;
  const uncleanElection = flags.uncleanElection ?? false;
  if (brokers === 1 && (brokerFreezes > 0 || linkCuts > 0 || uncleanElection)) {
    const message = "--broker-freezes, --link-cuts and --unclean-election need three brokers.";
    return { ok: false, problem: { code: "needs-cluster", message, fix: "Type --brokers 3 as well." } };
  }
  if (brokers === 3 && flags.flavor === "event-hubs") {
    const message = "--flavor event-hubs is one broker behind a proxy: a namespace has one address.";
    return { ok: false, problem: { code: "one-address", message, fix: "Type --brokers 1." } };
  }
  if (uncleanElection && events < uncleanEventsMin) {
    const message = `--unclean-election needs --events of at least ${uncleanEventsMin}; ${events} was given.`;
    const fix = `Type --events ${uncleanEventsMin}.`;
    return { ok: false, problem: { code: "too-few-events", message, fix } };
  }
  if (flags.static || flags.program !== undefined) {
    const message = `${flags.static ? "--static" : "--program"} is about rolling restarts.`;
    return { ok: false, problem: { code: "not-rolling", message, fix: "Type --rolling as well." } };
  }
  const versions = versionOptions(flags);
  if (!versions.ok) return versions;
  const counts = { events, kills, freezes, brokerRestarts, brokerFreezes, linkCuts };
  const { flavor, graphFaults, tenantChanges = 0 } = flags;
  const options: ChaosOptions = {
    ...counts,
    brokers,
    uncleanElection,
    seed,
    flavor,
    graphFaults,
    tenantChanges,
    ...versions.options,
  };
  return { ok: true, options };
}

/** Three workers forward, then three back. */
const bothWays = 6;

type VersionOptions =
  | { readonly ok: true; readonly options: Pick<ChaosOptions, "otherVersion" | "updates"> }
  | { readonly ok: false; readonly problem: Problem };

function versionOptions({
  otherVersion,
  updates,
  tenantChanges,
  uncleanElection,
}: ChaosFlags): VersionOptions {
  if (otherVersion === undefined) {
    if (updates === undefined) return { ok: true, options: { otherVersion: null, updates: 0 } };
    const message = "--updates is how often a worker changes its version: there is but one.";
    const fix = "Type --other-version DIRECTORY as well, or --hours for a soak with rolling updates.";
    return { ok: false, problem: { code: "one-version", message, fix } };
  }
  if (tenantChanges || uncleanElection) {
    const message =
      "--other-version goes with neither --tenant-changes nor --unclean-election: older versions know neither.";
    return { ok: false, problem: { code: "too-new", message, fix: "Leave those out." } };
  }
  const problem = checkOtherVersion(otherVersion);
  if (problem !== null) return { ok: false, problem };
  return { ok: true, options: { otherVersion, updates: updates ?? bothWays } };
}

export interface ChaosOptions {
  /** Distinct enrollments. */
  readonly events: number;
  readonly kills: number;
  readonly freezes: number;
  readonly brokers: 1 | 3;
  readonly brokerRestarts: number;
  readonly brokerFreezes: number;
  readonly linkCuts: number;
  readonly uncleanElection: boolean;
  /** Of the tenants file. */
  readonly tenantChanges: number;
  readonly flavor: ChaosFlags["flavor"];
  readonly graphFaults: GraphFaults;
  /** Directory of another checkout, which all workers run first; null: all run this one. */
  readonly otherVersion: string | null;
  /** Workers, one by one, all to this version, then all back, and so on. */
  readonly updates: number;
  readonly seed: number;
}
