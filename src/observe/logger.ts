/** The logger of a process: pino's lines, as JSON or for people, into a sink that never blocks its caller. */
import pino from "pino";
import type { Clock } from "../ports.ts";
import { type LogSink, openLogSink } from "./log-sink.ts";
import { textLine } from "./text-line.ts";

/** What those who log are handed: pino's, so that they need not know where it comes from. */
export type Logger = pino.Logger;

export interface LoggerSettings {
  readonly level: string;
  readonly format: "json" | "text";
  /** In every JSON line. */
  readonly base: Readonly<Record<string, string>>;
  /** As in the sink's settings. */
  readonly writeSome: (bytes: Uint8Array) => number;
  readonly onDropped: (lines: number) => void;
}

export interface OpenLogger {
  readonly logger: Logger;
  /** Waits a little for lines that are not written yet. */
  close(withinMs: number): Promise<void>;
}

/** A quarter of an hour of an outage's lines. */
const maxWaitingBytes = 1024 * 1024;

export function openLogger(settings: LoggerSettings, clock: Clock): OpenLogger {
  const { level, format, base, writeSome, onDropped } = settings;
  const sink: LogSink = openLogSink(
    {
      writeSome,
      maxWaitingBytes,
      onDropped,
      onRecovered: (lines, reason) =>
        logger.warn({ event: "log-lines-dropped", lines, reason }, `${lines} log lines could not be written`),
    },
    clock,
  );
  const destination =
    format === "json" ? sink : { write: (line: string) => sink.write(textLine(line, base)) };
  const logger = pino(
    {
      level,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      base,
    },
    destination,
  );
  return { logger, close: (withinMs) => sink.close(withinMs) };
}
