/** Reconnecting: who needs a connection asks the line, and tells it when one failed. */
import { openWire, type Wire, type WireSettings } from "./client.ts";

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
  let closed = false;
  const line: Line = {
    wire() {
      if (closed) return Promise.reject(new Error("the log was closed"));
      if (current) return current;
      const opening = openWire(settings, topics).then((wire) => {
        if (closed) wire.close();
        return wire;
      });
      current = opening;
      opening.catch(() => {
        if (current === opening) current = null;
      });
      return opening;
    },
    drop(wire) {
      if (wire.closed) return;
      wire.close();
      current = null;
    },
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
