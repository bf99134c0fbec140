/** Bare kafkajs: reads batches, produces as many records as it read, each as long as a registered one, commits. */
import kafkajs from "kafkajs";

const env = process.env as Record<string, string>;
const { BROKERS, GROUP, ENROLLED, REGISTERED } = env;
const registeredBytes = 1_000;
const recordsPerSend = 500;

const kafka = new kafkajs.Kafka({ brokers: BROKERS!.split(","), logLevel: kafkajs.logLevel.ERROR });
const consumer = kafka.consumer({ groupId: GROUP!, maxWaitTimeInMs: 250 });
const producer = kafka.producer();
await producer.connect();
await consumer.connect();
await consumer.subscribe({ topic: ENROLLED!, fromBeginning: true });
consumer.on(consumer.events.GROUP_JOIN, () => console.log("ready"));
await consumer.run({
  eachBatch: async ({ batch }) => {
    const messages = batch.messages.map(({ key, value }) => {
      const longer = Buffer.alloc(Math.max(registeredBytes, value!.length), " ");
      value!.copy(longer);
      return { key, value: longer, partition: batch.partition };
    });
    for (let at = 0; at < messages.length; at += recordsPerSend)
      await producer.send({ topic: REGISTERED!, messages: messages.slice(at, at + recordsPerSend) });
  },
});
process.once("SIGTERM", async () => {
  await consumer.disconnect();
  await producer.disconnect();
  process.exit(0);
});
