/**
 * The worker that a tutorial would give: kafkajs eachMessage with automatic commits, the Graph client's stock
 * middleware (retries included) over fetch, one event after the other. It knows one tenant.
 */
import { ClientSecretCredential } from "@azure/identity";
import { Client } from "@microsoft/microsoft-graph-client";
import { TokenCredentialAuthenticationProvider } from "@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials/index.js";
import kafkajs from "kafkajs";

const env = process.env as Record<string, string>;
const { BROKERS, GROUP, ENROLLED, REGISTERED, GRAPH_URL, TENANT, CLIENT_ID, CLIENT_SECRET } = env;

const credential = new ClientSecretCredential(TENANT!, CLIENT_ID!, CLIENT_SECRET!, {
  authorityHost: GRAPH_URL!,
  disableInstanceDiscovery: true,
});
const graph = Client.initWithMiddleware({
  authProvider: new TokenCredentialAuthenticationProvider(credential, {
    scopes: ["https://graph.microsoft.com/.default"],
  }),
  baseUrl: GRAPH_URL!,
  customHosts: new Set([new URL(GRAPH_URL!).hostname]),
  defaultVersion: "beta",
});

const kafka = new kafkajs.Kafka({ brokers: BROKERS!.split(","), logLevel: kafkajs.logLevel.ERROR });
const consumer = kafka.consumer({ groupId: GROUP! });
const producer = kafka.producer();
await producer.connect();
await consumer.connect();
await consumer.subscribe({ topic: ENROLLED!, fromBeginning: true });
consumer.on(consumer.events.GROUP_JOIN, () => console.log("ready"));
await consumer.run({
  eachMessage: async ({ message }) => {
    const event = JSON.parse(message.value!.toString());
    const created = await graph.api("/deviceManagement/certificateConnectorDetails").post(event.data);
    await producer.send({
      topic: REGISTERED!,
      messages: [{ key: created.id, value: JSON.stringify(created) }],
    });
  },
});
process.once("SIGTERM", async () => {
  await consumer.disconnect();
  await producer.disconnect();
  process.exit(0);
});
