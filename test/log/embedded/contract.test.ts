import { eventLogContract } from "../../contracts/event-log.ts";
import { features, openHarness } from "./harness.ts";

eventLogContract("embedded log", features, openHarness);
