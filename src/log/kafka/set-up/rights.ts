/**
 * Whether this client may do on Kafka what a worker does: asked of the brokers, before the first request is refused.
 *
 * 1. Asks only: nothing is read, written or committed to find out.
 * 2. A broker that does not report rights is skipped silently, as is one whose report can't be true: a client that sees a topic may describe it.
 */
import { topicName } from "../../../domain/topics.ts";
import type { Topic } from "../../../ports.ts";
import type { Problem } from "../../../problem.ts";
import type { Broker } from "../cluster/broker.ts";
import type { ByteReader } from "../cluster/bytes.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { metadataRequest } from "../cluster/metadata-request.ts";
import { type ProtocolRequest, protocolRequest } from "../cluster/protocol.ts";
import { type CommandTarget, grant, grantOnGroup, isEventHubs } from "./advice.ts";

export interface RightsCheck extends CommandTarget {
  readonly groupId: string;
}

type Right = "Read" | "Write";

/** Bits of what Kafka answers, by its codes of operations. */
const bits = { Read: 1 << 3, Write: 1 << 4, Describe: 1 << 8 } as const;
const metadataKey = 3;
const describeGroups = { key: 15, name: "DescribeGroups", version: 3, flexible: false } as const;
/** The first version that reports rights on topics. */
const metadataVersion = 8;
const groupAuthorizationFailed = 30;
const notCoordinator = 16;

/** Of the worker itself; what is emitted to connector.enrolled is the installers' or the HTTP service's. */
const needed: Readonly<Record<Topic, readonly Right[]>> = {
  enrolled: ["Read"],
  retry: ["Read", "Write"],
  registered: ["Read", "Write"],
  dlq: ["Read", "Write"],
};

/** One for each topic, and for the group, on which something is not allowed. */
export async function checkRights(
  cluster: ClusterConnection,
  check: RightsCheck,
): Promise<readonly Problem[]> {
  if (isEventHubs(check)) return [];
  return [...(await onTopics(cluster, check)), ...(await onGroup(cluster, check))];
}

async function onTopics(cluster: ClusterConnection, check: RightsCheck): Promise<readonly Problem[]> {
  const names = Object.fromEntries(
    (Object.keys(needed) as Topic[]).map((role) => [topicName(role, check.topicPrefix), role]),
  );
  const broker = await cluster.controller();
  if ((broker.versions[metadataKey]?.maxVersion ?? 0) < metadataVersion) return []; // 2
  const request = metadataRequest(broker.versions, Object.keys(names), { withRights: true });
  const { topicMetadata } = await broker.send(request);
  return topicMetadata.flatMap(({ topic, errorCode, operations = 0 }) => {
    const role = names[topic];
    if (role === undefined || errorCode !== 0) return [];
    const lacking = lackingIn(operations, needed[role]);
    return lacking.length === 0 ? [] : [problem(lacking, topic, grant(check, lacking, topic))];
  });
}

async function onGroup(cluster: ClusterConnection, check: RightsCheck): Promise<readonly Problem[]> {
  const { groupId } = check;
  const operations = await operationsOnGroup(cluster, groupId);
  const lacking = operations === "none" ? needed.enrolled : lackingIn(operations, ["Read"]);
  return lacking.length === 0
    ? []
    : [problem(lacking, `group ${groupId}`, grantOnGroup(check, "Read", groupId))];
}

/** "none": not even to describe it, which goes with the right to read it. Any broker answers that; the rights themselves come from the coordinator. */
async function operationsOnGroup(cluster: ClusterConnection, groupId: string): Promise<number | "none"> {
  const first = await askAbout(groupId, await cluster.controller());
  if (first.errorCode !== notCoordinator) return readOperations(first);
  // A coordinator that can't be found now must not prevent a start: what needs it waits for it.
  const coordinator = await cluster.coordinator(groupId).catch(() => null);
  return coordinator === null ? 0 : readOperations(await askAbout(groupId, coordinator));
}

async function askAbout(groupId: string, broker: Broker): Promise<Described> {
  if ((broker.versions[describeGroups.key]?.maxVersion ?? 0) < describeGroups.version) return untold; // 2
  return broker.send(describeGroup(groupId));
}

function readOperations({ errorCode, operations }: Described): number | "none" {
  if (errorCode === groupAuthorizationFailed) return "none";
  return errorCode === 0 ? operations : 0; // 2
}

/** By the bits of what is allowed. */
export function lackingIn(operations: number, wanted: readonly Right[]): readonly Right[] {
  const isTold = operations > 0 && (operations & bits.Describe) !== 0; // 2
  return isTold ? wanted.filter((right) => (operations & bits[right]) === 0) : [];
}

function problem(lacking: readonly Right[], on: string, fix: string): Problem {
  const operations = lacking.length === 1 ? "operation" : "operations";
  return {
    code: "rights-missing",
    message: `this client lacks the ${operations} ${lacking.join(" and ")} on ${on}: the worker can't work without`,
    fix,
  };
}

interface Described {
  readonly errorCode: number;
  /** The least integer: not reported. */
  readonly operations: number;
}

const untold: Described = { errorCode: 0, operations: 0 };

function describeGroup(groupId: string): ProtocolRequest<Described> {
  return protocolRequest(describeGroups, {
    write: (body) => body.int32(1).string(groupId).int8(1),
    read(reader) {
      reader.at += 4;
      const [described] = reader.array(() => readGroup(reader));
      return described ?? untold;
    },
  });
}

function readGroup(reader: ByteReader): Described {
  const errorCode = reader.int16();
  // Its id, its state, its kind, its protocol.
  for (let text = 0; text < 4; text += 1) reader.string();
  reader.array(() => {
    // Member id, client id, host; then its metadata and its assignment.
    for (let text = 0; text < 3; text += 1) reader.string();
    for (let blob = 0; blob < 2; blob += 1) reader.raw(Math.max(0, reader.int32()));
  });
  return { errorCode, operations: reader.int32() };
}
