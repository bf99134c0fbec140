/** For states that can only be polled, because no event reports them. */
import { setTimeout as passed } from "node:timers/promises";

const betweenMs = 10;

/**
 * Between one look and the next. A test that looks in every turn of the event loop takes a whole processor, from the broker and
 * the service that it waits for too.
 */
export async function lookAgain(): Promise<void> {
  await passed(betweenMs);
}
