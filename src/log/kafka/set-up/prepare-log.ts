/** Before a log is opened: its topics are there and fit, no other group is in the way, and if not, why. */
import { topicName, topics } from "../../../domain/topics.ts";
import { type Clock, inputTopics } from "../../../ports.ts";
import type { OpenFailure, Problem } from "../../../problem.ts";
import type { ConnectionSettings } from "../cluster/cluster.ts";
import { type ClusterConnection, openClusterConnection } from "../cluster/cluster-connection.ts";
import { hungUp, protocolError } from "../cluster/errors.ts";
import { instanceIdsRefused, instanceIdsUntried } from "../group/instance-id.ts";
import { takesInstanceIds } from "../group/member-requests.ts";
import { openFailure } from "./open-problem.ts";
import { checkGroups, type GroupCheck, type GroupsResult } from "./other-groups.ts";
import { checkRights } from "./rights.ts";
import { prepareTopics, type TopicsSettings } from "./topics.ts";

export interface PrepareSettings extends Omit<TopicsSettings, "tenantBlockedMaxMs"> {
  readonly connection: ConnectionSettings;
  /** Default 0: not checked. */
  readonly tenantBlockedMaxMs?: number;
  /** Kafka's group.instance.id; null: none. */
  readonly instanceId?: string | null;
  /** Set where other groups are to be found. */
  readonly attemptedThroughOf?: GroupCheck["attemptedThroughOf"];
}

export type PreparedLog =
  | {
      readonly ok: true;
      readonly partitionCount: number;
      /** By name, as they are now; null: the brokers have none. */
      readonly topicIds: ReadonlyMap<string, string | null>;
      readonly warnings: readonly Problem[];
    }
  | OpenFailure;

export async function prepareLog(settings: PrepareSettings, clock: Clock): Promise<PreparedLog> {
  const { connection, tenantBlockedMaxMs = 0 } = settings;
  const names = topics.map((topic) => topicName(topic, settings.topicPrefix));
  try {
    const cluster = await openClusterConnection(connection, []);
    try {
      const result = await prepareTopics(cluster, { ...settings, tenantBlockedMaxMs }, clock);
      if (!result.ok) return { ...result, retryable: false };
      await cluster.addTopics(names);
      // Before what the lack of one would end with less to go by.
      const rights = settings.attemptedThroughOf === undefined ? [] : await checkRights(cluster, settings);
      const groups = await otherGroups(cluster, settings, result.partitionCount);
      if (groups.problem !== null) return { ok: false, problem: groups.problem, retryable: false };
      const places = await staticPlaces(cluster, settings);
      if (places.problem !== null) return { ok: false, problem: places.problem, retryable: false };
      const warnings = [...rights, ...result.warnings, ...groups.warnings, ...places.warnings];
      return { ...result, warnings, topicIds: new Map(names.map((name) => [name, cluster.topicId(name)])) };
    } finally {
      cluster.close();
    }
  } catch (error) {
    const { security, brokers } = connection;
    const asksForLogin = hungUp(error) && !security.sasl && (await isAskedForLogin(connection));
    return openFailure(error, { brokers, security, asksForLogin, flavor: settings.flavor ?? "kafka" });
  }
}

async function otherGroups(
  cluster: ClusterConnection,
  { groupId, topicPrefix, attemptedThroughOf }: PrepareSettings,
  partitionCount: number,
): ReturnType<typeof checkGroups> {
  if (attemptedThroughOf === undefined) return { problem: null, warnings: [] };
  const inputs = inputTopics.map((topic) => topicName(topic, topicPrefix));
  return checkGroups(cluster, { groupId, inputs, partitionCount, attemptedThroughOf });
}

/** What an instance id needs of the brokers: of those that are only read from and appended to, nothing. */
async function staticPlaces(
  cluster: ClusterConnection,
  { groupId, instanceId = null, attemptedThroughOf, flavor }: PrepareSettings,
): Promise<GroupsResult> {
  if (instanceId === null || attemptedThroughOf === undefined) return { problem: null, warnings: [] };
  const { versions } = await cluster.coordinator(groupId);
  if (!takesInstanceIds(versions)) return { problem: instanceIdsRefused(instanceId), warnings: [] };
  return { problem: null, warnings: flavor === "event-hubs" ? [instanceIdsUntried] : [] };
}

/** Asks for a mechanism that no broker has: one that wants a login names its own, others refuse to talk of logins. */
async function isAskedForLogin(settings: ConnectionSettings): Promise<boolean> {
  const sasl = { mechanism: "none", authenticationProvider: () => ({ authenticate: async () => {} }) };
  try {
    const cluster = await openClusterConnection(
      { ...settings, security: { ...settings.security, sasl } },
      [],
    );
    cluster.close();
    return false;
  } catch (error) {
    return protocolError(error) === "UNSUPPORTED_SASL_MECHANISM";
  }
}
