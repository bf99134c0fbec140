/** What Graph has shown so far, by objects that it made or kept for us: for the life of the process. */
import type { GraphObject } from "../../graph-port.ts";
import type { Observer } from "../../observer.ts";
import type { Work } from "../ownership/partition.ts";
import { createShownForm, type ShownForm } from "./adoption.ts";
import { carriesId, type Shown } from "./doubt.ts";
import type { Effect } from "./life-events.ts";

export interface GraphShown {
  readonly proven: Shown;
  readonly form: ShownForm;
  learn(work: Work, object: GraphObject, shownBy: Extract<Effect, { kind: "register" }>["shownBy"]): void;
}

export function createGraphShown(observe: Observer, sendId: boolean): GraphShown {
  const proven = { route: false, ids: false, honoursIds: false };
  const form = createShownForm(observe);
  return {
    proven,
    form,
    learn({ enrollment, idempotencyKey, stage }, object, shownBy) {
      // What a list shows may be anybody's.
      if (shownBy === "read-back") return;
      proven.route = true;
      if (shownBy === "conflict") proven.ids = true;
      else if (carriesId(stage, { sendId })) {
        proven.ids = true;
        proven.honoursIds = object.id.toLowerCase() === idempotencyKey;
      }
      form.learn(enrollment.details, object);
    },
  };
}
