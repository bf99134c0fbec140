/** What Event Hubs does otherwise than Apache Kafka, as far as it is documented or was seen. */

export interface Quirks {
  /** A Produce request of more bytes, its length included, gets its connection closed. */
  readonly requestBytesMax: number;
  /** Commits of one partition beyond this number in a second wait. */
  readonly commitsPerSecond: number;
  /** Of Produce requests: answered with error 49 or 59 in place of being stored. */
  readonly unknownProducerShare: number;
  /** A connection on which nothing went either way for so long is closed. */
  readonly idleMs: number;
  /** So long after its last login a connection is closed at the next request; 0: never. */
  readonly sessionMs: number;
}

export const eventHubsQuirks: Quirks = {
  requestBytesMax: 1_046_528,
  commitsPerSecond: 4,
  unknownProducerShare: 0,
  idleMs: 240_000,
  sessionMs: 0,
};

export const api = {
  produce: 0,
  metadata: 3,
  offsetCommit: 8,
  findCoordinator: 10,
  saslHandshake: 17,
  apiVersions: 18,
  describeConfigs: 32,
  saslAuthenticate: 36,
} as const;

/**
 * The highest version of each request that it takes; others it does not list. FindCoordinator, OffsetCommit and ApiVersions
 * go further there: here, as far as the proxy reads them.
 */
export const highestVersions: ReadonlyMap<number, number> = new Map([
  [api.produce, 7],
  [1, 6], // Fetch
  [2, 8], // ListOffsets
  [api.metadata, 5],
  [api.offsetCommit, 7],
  [9, 7], // OffsetFetch
  [api.findCoordinator, 2],
  [11, 9], // JoinGroup
  [12, 4], // Heartbeat
  [13, 5], // LeaveGroup
  [14, 5], // SyncGroup
  [15, 5], // DescribeGroups
  [16, 4], // ListGroups
  [api.saslHandshake, 1],
  [api.apiVersions, 2],
  [19, 5], // CreateTopics
  [20, 4], // DeleteTopics
  [22, 1], // InitProducerId
  [api.describeConfigs, 2],
  [api.saslAuthenticate, 1],
  [37, 1], // CreatePartitions
]);
