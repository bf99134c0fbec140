/**
 * What Graph has shown so far, by objects that it made or kept for us: for the life of the process.
 *
 * 1. Each cloud shows for itself whether it honours ids: what protects creates in one must not be believed of another. One that
 *    tenants came to later has shown nothing yet.
 * 2. Commits say that ids are honoured only once all clouds have shown it that tenants are in, or records went to: who reads
 *    them does not know which cloud a create went to.
 * 3. An answer that ignored our id is never made up for by others that did not: a service that is renewed in one place after the other
 *    honours ids for some tenants and not for others, and what protects the first must not be believed of the second.
 * 4. Any one of them shows that the operation exists: where another lacks it, only the tenants of that one wait.
 */
import type { GraphObject } from "../../graph-port.ts";
import type { Observer } from "../../observer.ts";
import type { Work } from "../ownership/partition.ts";
import type { RegistrarSettings } from "../settings.ts";
import { createShownForm, type ShownForm } from "./adoption.ts";
import { carriesId, type Known } from "./doubt.ts";
import type { Effect } from "./life-events.ts";

export interface GraphShown {
  /** With the rules, as the table of a record's life needs it. */
  readonly known: Known;
  readonly form: ShownForm;
  learn(work: Work, object: GraphObject, shownBy: Extract<Effect, { kind: "register" }>["shownBy"]): void;
}

export interface CloudsShown {
  /** By the tenant's cloud; null: of a record that is of no tenant. */
  of(tenantId: string | null): GraphShown;
  honoursIds(): boolean;
}

export function createCloudsShown(observe: Observer, settings: RegistrarSettings): CloudsShown {
  const { cloudOf, clouds } = settings.tenants;
  const route = { isShown: false };
  const create = () => createGraphShown(observe, settings, route);
  const none = create();
  const byCloud = new Map<string, GraphShown>();
  return {
    of(tenantId) {
      if (tenantId === null) return none;
      const cloud = cloudOf(tenantId);
      return byCloud.get(cloud) ?? open(cloud);
    },
    honoursIds: () =>
      clouds().every((cloud) => byCloud.has(cloud)) &&
      [...byCloud.values()].every(({ known }) => known.shown.honoursIds), // 2
  };

  function open(cloud: string): GraphShown {
    const shown = create(); // 1
    byCloud.set(cloud, shown);
    return shown;
  }
}

function createGraphShown(
  observe: Observer,
  settings: RegistrarSettings,
  route: { isShown: boolean },
): GraphShown {
  const proven = {
    get route() {
      return route.isShown; // 4
    },
    ids: false,
    honoursIds: false,
  };
  const form = createShownForm(observe);
  let isIgnored = false;
  return {
    known: { rules: settings, shown: proven },
    form,
    learn({ enrollment, idempotencyKey, stage }, object, shownBy) {
      // Objects in a list may have been made by others.
      if (shownBy === "read-back") return;
      route.isShown = true;
      if (shownBy === "conflict") proven.ids = true;
      else if (carriesId(stage, settings)) {
        proven.ids = true;
        isIgnored ||= object.id.toLowerCase() !== idempotencyKey;
        proven.honoursIds = !isIgnored; // 3
      }
      form.learn(enrollment.details, object);
    },
  };
}
