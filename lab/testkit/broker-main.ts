/** Starts a broker, prints `KAFKA_BROKERS=...`, and keeps it until it is asked to end. */
import { obtainBroker } from "./broker.ts";

const broker = await obtainBroker();
if (!broker.ok) {
  console.error(`no Kafka broker: ${broker.reason}`);
  process.exit(1);
}
console.log(`KAFKA_BROKERS=${broker.brokers.join(",")}`);
const keepAlive = setInterval(() => {}, 60_000);
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, async () => {
    clearInterval(keepAlive);
    await broker.stop();
    process.exit(0);
  });
}
