import { eventLogContract } from "../../contracts/event-log.ts";
import { features, openHarness } from "./harness.ts";

eventLogContract("embedded log", features, () => openHarness());
eventLogContract("embedded log that flushes behind", features, () => openHarness(true));
