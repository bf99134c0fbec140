/** A cluster connection that is opened when it is needed, and again after it failed. */
import type { ConnectionSettings } from "./cluster.ts";
import { type ClusterConnection, openClusterConnection } from "./cluster-connection.ts";

export interface ReconnectingConnection {
  /** The open connection, or a new one. */
  cluster(): Promise<ClusterConnection>;
  /** Closes this connection, which failed; the next call of `cluster` opens another. */
  drop(cluster: ClusterConnection): void;
  close(): void;
}

/** @param onClosed called once, by the first `close`. */
export function openReconnectingConnection(
  settings: ConnectionSettings,
  topics: readonly string[],
  onClosed: () => void,
): ReconnectingConnection {
  let current: Promise<ClusterConnection> | null = null;
  let opened: ClusterConnection | null = null;
  let closed = false;
  const connection: ReconnectingConnection = {
    cluster() {
      if (closed) return Promise.reject(new Error("the log was closed"));
      if (current && !opened?.closed) return current;
      opened = null;
      const opening = openClusterConnection(settings, topics).then((cluster) => {
        if (closed) cluster.close();
        if (current === opening) opened = cluster;
        return cluster;
      });
      current = opening;
      opening.catch(() => {
        if (current === opening) current = null;
      });
      return opening;
    },
    // It may be one of another ReconnectingConnection: then that one opens another.
    drop: (cluster) => cluster.close(),
    close() {
      if (closed) return;
      closed = true;
      onClosed();
      current?.then(
        (cluster) => cluster.close(),
        () => {},
      );
      current = null;
    },
  };
  return connection;
}
