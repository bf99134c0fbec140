/** Reconnecting: who needs a connection asks the line, and tells it when one failed. */
import { openWire, type Wire } from "./client.ts";
import type { WireSettings } from "./cluster.ts";

/** A wire that is there when it is needed, and replaced when it was dropped. */
export interface Line {
  wire(): Promise<Wire>;
  /** Closes this wire; the next call of `wire` opens another. */
  drop(wire: Wire): void;
  close(): void;
}

/** @param onClosed called once, by the first `close`. */
export function openLine(settings: WireSettings, topics: readonly string[], onClosed: () => void): Line {
  let current: Promise<Wire> | null = null;
  let opened: Wire | null = null;
  let closed = false;
  const line: Line = {
    wire() {
      if (closed) return Promise.reject(new Error("the log was closed"));
      if (current && !opened?.closed) return current;
      opened = null;
      const opening = openWire(settings, topics).then((wire) => {
        if (closed) wire.close();
        if (current === opening) opened = wire;
        return wire;
      });
      current = opening;
      opening.catch(() => {
        if (current === opening) current = null;
      });
      return opening;
    },
    // The wire may be one of another line: then that one opens another.
    drop: (wire) => wire.close(),
    close() {
      if (closed) return;
      closed = true;
      onClosed();
      current?.then(
        (wire) => wire.close(),
        () => {},
      );
      current = null;
    },
  };
  return line;
}
