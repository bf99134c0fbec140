/** kafkajs's cluster as this adapter changes it, on one broker that answers by a script. */
import type { TestContext } from "node:test";
import type { KafkaConfig } from "kafkajs";
import type { Broker } from "../../../src/log/kafka/cluster/broker.ts";
import { ByteWriter } from "../../../src/log/kafka/cluster/bytes.ts";
import {
  connectBroker,
  createKafkajsCluster,
  dateByBothClocks,
  failOnWrongFrames,
  holdNothingBack,
  type KafkajsCluster,
  type KafkajsConnection,
  onConnectionCreated,
  replaceMetadata,
} from "../../../src/log/kafka/cluster/kafkajs-internals.ts";
import {
  type Answer,
  apiVersions,
  type RecordedRequest,
  type ScriptedBroker,
  startScriptedBroker,
} from "./scripted-broker.ts";

export const apiKeys = {
  produce: 0,
  fetch: 1,
  metadata: 3,
  coordinator: 10,
  heartbeat: 12,
  saslHandshake: 17,
  apiVersions: 18,
  saslAuthenticate: 36,
};
export const nodeId = 7;
export const heartbeat = { groupId: "g", groupGenerationId: 4, memberId: "m" };
/** Of Heartbeat. */
export const heartbeatAnswer = (errorCode = 0, throttleMs = 0) =>
  new ByteWriter().int32(throttleMs).int16(errorCode).bytes;

interface Changes {
  /** Under which the metadata names the broker. */
  readonly host?: string;
  readonly settings?: Partial<KafkaConfig>;
  /** Null: as usual. */
  readonly answer?: (request: RecordedRequest) => Answer;
  readonly onCreated?: (connection: KafkajsConnection) => void;
  readonly onConnectionFailed?: (broker: string, reason: string) => void;
}

export interface Given {
  readonly broker: ScriptedBroker;
  readonly kafkajs: KafkajsCluster;
  readonly created: readonly KafkajsConnection[];
  /** Topics of each metadata request. */
  readonly asked: readonly (readonly string[])[];
  knownMetadata(): { readonly controllerId: number } | null;
  /** How often a seed was asked for. */
  seeds(): number;
  connected(): Promise<Broker>;
}

export async function given(t: TestContext, changes: Changes = {}): Promise<Given> {
  const broker = await startScriptedBroker();
  t.after(() => broker.stop());
  broker.answer = (request) => changes.answer?.(request) ?? usual(request, broker);
  const kafkajs = createKafkajsCluster(
    {
      brokers: [broker.address],
      clientId: "client",
      connectionTimeout: 3_000,
      requestTimeout: 5_000,
      retry: { retries: 2, initialRetryTime: 1, maxRetryTime: 1 },
      ...changes.settings,
    },
    changes.onConnectionFailed ?? (() => {}),
  );
  const created: KafkajsConnection[] = [];
  let seeds = 0;
  const nextSeed = () => {
    seeds += 1;
    return { host: broker.host, port: broker.port };
  };
  onConnectionCreated(kafkajs, nextSeed, (connection) => {
    created.push(connection);
    dateByBothClocks(connection);
    holdNothingBack(connection);
    failOnWrongFrames(connection);
    changes.onCreated?.(connection);
  });
  const asked: (readonly string[])[] = [];
  const { known } = replaceMetadata(kafkajs, async (_, topics) => {
    asked.push(topics);
    const { host = broker.host } = changes;
    return {
      brokers: [{ nodeId, host, port: broker.port, rack: null }],
      controllerId: nodeId,
      topicMetadata: [],
    };
  });
  return {
    ...{ broker, kafkajs, created, asked },
    knownMetadata: known,
    seeds: () => seeds,
    async connected() {
      await kafkajs.connect();
      await kafkajs.addMultipleTargetTopics(["t"]);
      return connectBroker(await kafkajs.findBroker({ nodeId: String(nodeId) }));
    },
  };
}

function usual({ key }: RecordedRequest, { host, port }: ScriptedBroker): Answer {
  if (key === apiKeys.apiVersions) return apiVersions();
  if (key !== apiKeys.coordinator) return null;
  return new ByteWriter().int32(0).int16(0).string(null).int32(nodeId).string(host).int32(port).bytes;
}
