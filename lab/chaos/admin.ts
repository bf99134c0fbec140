/** kafkajs's own clients: what chaos asks the brokers, it asks by other means than the worker's. */
import type { Admin, Kafka } from "kafkajs";

export async function openAdmin(
  brokers: readonly string[],
  clientId: string,
  requestTimeoutMs = shortMs,
): Promise<Admin> {
  return (await openKafka(brokers, clientId, requestTimeoutMs)).admin();
}

const shortMs = 5_000;

export async function openKafka(
  brokers: readonly string[],
  clientId: string,
  requestTimeoutMs: number,
): Promise<Kafka> {
  const { default: kafkajs } = await import("kafkajs");
  muteNegativeTimeouts();
  return new kafkajs.Kafka({
    brokers: [...brokers],
    clientId,
    logLevel: kafkajs.logLevel.NOTHING,
    // Its first request of some kinds fails because it lacks metadata; the second has it.
    retry: { retries: 3, initialRetryTime: 100, maxRetryTime: 500 },
    connectionTimeout: Math.max(2_000, requestTimeoutMs / 3),
    requestTimeout: requestTimeoutMs,
  });
}

/** One question, over connections of its own. Null: it failed. */
export async function ask<T>(
  brokers: readonly string[],
  clientId: string,
  what: (admin: Admin) => Promise<T>,
): Promise<T | null> {
  const admin = await openAdmin(brokers, clientId);
  try {
    await admin.connect();
    return await what(admin);
  } catch {
    return null;
  } finally {
    await admin.disconnect().catch(() => {});
  }
}

let muted = false;

/** kafkajs arms timers with negative delays, of which Node would warn people who can't help it. */
function muteNegativeTimeouts(): void {
  if (muted) return;
  muted = true;
  const { emitWarning } = process;
  process.emitWarning = ((...args: Parameters<typeof emitWarning>) => {
    if ((args as unknown[])[1] !== "TimeoutNegativeWarning") emitWarning.apply(process, args);
  }) as typeof emitWarning;
}
