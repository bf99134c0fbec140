/**
 * What a member asks of its coordinator, with its instance id where it has one: kafkajs's requests have no place for that.
 *
 * 1. Every request of a static member carries its instance id, so that the broker says FENCED_INSTANCE_ID, rather than
 *    UNKNOWN_MEMBER_ID, once another process has taken its place: the one ends a worker, after the other it joins again.
 */
import type { Broker } from "../cluster/broker.ts";
import type { ByteReader, ByteWriter } from "../cluster/bytes.ts";
import { AnswerError } from "../cluster/errors.ts";
import { type ApiVersions, type ProtocolRequest, protocolRequest } from "../cluster/protocol.ts";

type Requests = Pick<Broker, "joinGroup" | "syncGroup" | "heartbeat" | "leaveGroup" | "offsetCommit">;
type Body<K extends keyof Requests> = Parameters<Requests[K]>[0];

const apis = {
  offsetCommit: { key: 8, name: "OffsetCommit", version: 7 },
  joinGroup: { key: 11, name: "JoinGroup", version: 5 },
  heartbeat: { key: 12, name: "Heartbeat", version: 3 },
  leaveGroup: { key: 13, name: "LeaveGroup", version: 3 },
  syncGroup: { key: 14, name: "SyncGroup", version: 3 },
} as const;

/** Kafka 2.4 and later. */
export function takesInstanceIds(versions: ApiVersions): boolean {
  return Object.values(apis).every(({ key, version }) => (versions[key]?.maxVersion ?? 0) >= version);
}

/** `instanceId`: null for a member without one. */
export function memberRequests(broker: Broker, instanceId: string | null): Requests {
  if (instanceId === null) return broker;
  return {
    joinGroup: (body) => broker.send(joinGroup(body, instanceId)),
    syncGroup: (body) => broker.send(syncGroup(body, instanceId)),
    heartbeat: (body) => broker.send(heartbeat(body, instanceId)),
    leaveGroup: (body) => broker.send(leaveGroup(body, instanceId)),
    offsetCommit: (body) => broker.send(offsetCommit(body, instanceId)),
  };
}

/** As kafkajs has it: the broker may wait for all members before it answers. */
const joinMarginMs = 5_000;

function joinGroup(body: Body<"joinGroup">, instanceId: string): ProtocolRequest<Answer<"joinGroup">> {
  const request = of("joinGroup", (out) => {
    out.string(body.groupId).int32(body.sessionTimeout).int32(body.rebalanceTimeout);
    out.string(body.memberId).string(instanceId).string("consumer").int32(body.groupProtocols.length);
    for (const { name, metadata } of body.groupProtocols) writeBytes(out.string(name), metadata);
  });
  const read = (from: ByteReader) => {
    const generationId = from.int32();
    from.string();
    const leaderId = from.string() ?? "";
    const memberId = from.string() ?? "";
    const members = from.array(() => {
      const member = { memberId: from.string() ?? "" };
      from.string();
      return { ...member, memberMetadata: readBytes(from) };
    });
    return { generationId, leaderId, memberId, members };
  };
  return { ...request(read), timeoutMs: body.rebalanceTimeout + joinMarginMs };
}

function syncGroup(body: Body<"syncGroup">, instanceId: string): ProtocolRequest<Answer<"syncGroup">> {
  return of("syncGroup", (out) => {
    out.string(body.groupId).int32(body.generationId).string(body.memberId).string(instanceId);
    out.int32(body.groupAssignment.length);
    for (const { memberId, memberAssignment } of body.groupAssignment)
      writeBytes(out.string(memberId), memberAssignment);
  })((from) => ({ memberAssignment: readBytes(from) }));
}

function heartbeat(body: Body<"heartbeat">, instanceId: string): ProtocolRequest<object> {
  return of("heartbeat", (out) =>
    out.string(body.groupId).int32(body.groupGenerationId).string(body.memberId).string(instanceId),
  )(() => ({}));
}

function leaveGroup(body: Body<"leaveGroup">, instanceId: string): ProtocolRequest<object> {
  return of("leaveGroup", (out) =>
    out.string(body.groupId).int32(1).string(body.memberId).string(instanceId),
  )((from) => {
    from.array(() => {
      from.string();
      from.string();
      check("leaveGroup", from.int16());
    });
    return {};
  });
}

function offsetCommit(body: Body<"offsetCommit">, instanceId: string): ProtocolRequest<object> {
  const write = (out: ByteWriter) => {
    out.string(body.groupId).int32(body.groupGenerationId).string(body.memberId).string(instanceId);
    out.int32(body.topics.length);
    for (const { topic, partitions } of body.topics) {
      out.string(topic).int32(partitions.length);
      for (const { partition, offset, metadata } of partitions)
        out.int32(partition).int64(Number(offset)).int32(-1).string(metadata);
    }
  };
  const read = (from: ByteReader) => {
    from.int32();
    from.array(() => {
      from.string();
      from.array(() => {
        from.int32();
        check("offsetCommit", from.int16());
      });
    });
    return {};
  };
  return protocolRequest({ ...apis.offsetCommit, flexible: false }, { write, read });
}

type Answer<K extends keyof Requests> = Awaited<ReturnType<Requests[K]>>;

/** A request whose answer begins with a throttle time and an error code. */
function of(name: keyof typeof apis, write: (out: ByteWriter) => void) {
  return <T>(read: (from: ByteReader) => T): ProtocolRequest<T> =>
    protocolRequest(
      { ...apis[name], flexible: false },
      {
        write,
        read(from) {
          from.int32();
          check(name, from.int16());
          return read(from);
        },
      },
    );
}

function check(name: keyof typeof apis, errorCode: number): void {
  if (errorCode !== 0) throw new AnswerError(errorCode, `${apis[name].name} was refused`);
}

function writeBytes(out: ByteWriter, bytes: Buffer): void {
  out.int32(bytes.length).raw(bytes);
}

function readBytes(from: ByteReader): Buffer {
  return Buffer.from(from.raw(Math.max(0, from.int32())));
}
