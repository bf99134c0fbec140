/** kafkajs's cluster, with this adapter's metadata, seeds and health in place of its own. Not connected yet. */
import { randomInt } from "node:crypto";
import { seedsOf } from "./addresses.ts";
import { AnswerError, errorCodes } from "./errors.ts";
import type { Health } from "./health.ts";
import {
  createKafkajsCluster,
  dateByBothClocks,
  failOnWrongFrames,
  holdNothingBack,
  type KafkajsCluster,
  type KafkajsConnection,
  onAnswer,
  onConnectionCreated,
  replaceMetadata,
} from "./kafkajs-internals.ts";
import { type Metadata, metadataRequest } from "./metadata-request.ts";
import type { KafkajsSecurity } from "./security.ts";
import type { Sockets } from "./sockets.ts";

export interface ConnectionSettings {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly security: KafkajsSecurity;
  /** Of every request, unless it says that it takes longer (JoinGroup). */
  readonly requestTimeoutMs: number;
  /** Called with what does not answer. */
  readonly health: Health;
}

export interface Cluster {
  readonly kafkajs: KafkajsCluster;
  /** As of the last refresh. */
  metadata(): Metadata | null;
  /** All that were made, to all brokers. */
  readonly connections: readonly KafkajsConnection[];
}

export function createCluster(settings: ConnectionSettings, sockets: Sockets): Cluster {
  const { health } = settings;
  const seeds = seedsOf(settings.brokers);
  const connections: KafkajsConnection[] = [];
  const kafkajs = createKafkajsCluster(
    {
      ...settings.security,
      brokers: [...settings.brokers],
      clientId: settings.clientId,
      connectionTimeout: 3000,
      requestTimeout: settings.requestTimeoutMs,
      retry: { retries: Math.max(2, seeds.length), initialRetryTime: 100, maxRetryTime: 1000 },
      socketFactory: sockets.factory,
    },
    health.brokerFailed,
  );
  // Workers that start together do not all begin with the same broker.
  let next = randomInt(seeds.length);
  onConnectionCreated(
    kafkajs,
    () => seeds[next++ % seeds.length]!,
    (connection) => {
      connections.push(connection);
      dateByBothClocks(connection);
      holdNothingBack(connection);
      failOnWrongFrames(connection);
      onAnswer(connection, () => health.worked(connection.broker));
    },
  );
  const { known } = replaceMetadata(kafkajs, async (broker, topics): Promise<Metadata> => {
    const metadata = await broker.send(metadataRequest(broker.versions, topics));
    for (const { topic, errorCode } of metadata.topicMetadata) {
      if (errorCode === errorCodes.topicAuthorizationFailed)
        throw new AnswerError(errorCode, `this client may not Describe topic ${topic}`);
    }
    return metadata;
  });
  return { kafkajs, metadata: known, connections };
}
