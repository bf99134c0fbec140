import { test } from "node:test";
import { eventLogContract } from "../contracts/event-log.ts";
import { features, openHarness, skip } from "./harness.ts";

if (skip) test("Kafka log: the event-log contract", { skip }, () => {});
else eventLogContract("Kafka log", features, openHarness);
