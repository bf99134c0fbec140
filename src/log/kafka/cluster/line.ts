/** Reconnecting: who needs a connection asks the line, and tells it when one failed. */
import type { ConnectionSettings } from "./cluster.ts";
import { type ClusterConnection, openClusterConnection } from "./cluster-connection.ts";

/** A cluster that is there when it is needed, and replaced when it was dropped. */
export interface Line {
  cluster(): Promise<ClusterConnection>;
  /** Closes this cluster; the next call of `cluster` opens another. */
  drop(cluster: ClusterConnection): void;
  close(): void;
}

/** @param onClosed called once, by the first `close`. */
export function openLine(
  settings: ConnectionSettings,
  topics: readonly string[],
  onClosed: () => void,
): Line {
  let current: Promise<ClusterConnection> | null = null;
  let opened: ClusterConnection | null = null;
  let closed = false;
  const line: Line = {
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
    // The cluster may be one of another line: then that one opens another.
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
  return line;
}
