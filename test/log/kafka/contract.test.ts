import { eventLogContract } from "../../contracts/event-log.ts";
import { features, kafkaTest, openHarness, skip } from "./harness.ts";

if (skip) kafkaTest("the event-log contract", async () => {});
else eventLogContract("Kafka log", features, openHarness);
