/** One observer out of several; each sees every event in order. */
import type { Observer } from "../observer.ts";

export function fanOut(...observers: readonly Observer[]): Observer {
  return (event) => {
    for (const observe of observers) observe(event);
  };
}
