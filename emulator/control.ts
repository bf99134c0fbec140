/** The control endpoint `/_control`: reads the inventory and counts, sets faults and behaviour. JSON in, JSON out. */

import { readBehaviour, readFaults } from "./control-input.ts";
import { readEntra } from "./entra/input.ts";
import type { EntraState } from "./entra/state.ts";
import { parseJson } from "./exchange.ts";
import type { Faults } from "./faults.ts";
import type { GraphState } from "./graph.ts";
import { inventoryOf } from "./model.ts";
import type { Checked } from "./resource.ts";
import type { GraphBehaviour } from "./settings.ts";
import { type RequestCounts, statsOf } from "./stats.ts";
import { DataFileProblem, type KeptSettings, type Store } from "./store.ts";

export interface Controlled {
  readonly state: GraphState;
  readonly entra: { state: EntraState };
  readonly store: Pick<Store, "keep"> | null;
  counts(): RequestCounts;
  reset(): void;
}

export interface ControlReply {
  readonly status: number;
  readonly body: unknown;
}

/** A change that `--data` can't keep is refused, and not made. */
export function control(
  controlled: Controlled,
  { method, url, text }: { readonly method: string; readonly url: string; readonly text: string },
): ControlReply {
  try {
    return answer(controlled, { method, url, text });
  } catch (error) {
    if (!(error instanceof DataFileProblem)) throw error;
    return { status: 507, body: { error: error.problem.message } };
  }
}

function answer(
  controlled: Controlled,
  { method, url, text }: { readonly method: string; readonly url: string; readonly text: string },
): ControlReply {
  const { state, entra } = controlled;
  switch (`${method} ${url.split("?", 1)[0]}`) {
    case "GET /_control/inventory":
      return ok(inventoryOf(state.model));
    case "GET /_control/stats":
      return ok(statsOf(state.model, controlled.counts()));
    case "GET /_control/faults":
      return ok(state.faults);
    case "GET /_control/settings":
      return ok(state.behaviour);
    case "GET /_control/entra":
      return ok(withoutSecrets(entra.state));
    case "PUT /_control/entra":
      return put(controlled, "entra", { text, shown: withoutSecrets });
    case "PUT /_control/faults":
      return put(controlled, "faults", { text });
    case "PUT /_control/settings":
      return put(controlled, "settings", { text });
    case "POST /_control/reset":
      controlled.reset();
      return ok({});
    default:
      return { status: 404, body: { error: `No ${method} ${url.slice(0, 64)}. ${known}` } };
  }
}

const known =
  "Known: GET inventory, stats, faults, settings, entra; PUT faults, settings, entra; POST reset; all under /_control/.";

function put<Name extends KeptSettings>(
  controlled: Controlled,
  name: Name,
  {
    text,
    shown = (value) => value,
  }: { readonly text: string; readonly shown?: (value: Settings[Name]) => unknown },
): ControlReply {
  const given = parseJson(text);
  const checked = readSettings(controlled, name, given);
  if (!checked.ok) return { status: 400, body: { error: checked.message } };
  controlled.store?.keep(name, given);
  checked.value.set();
  return ok(shown(checked.value.value));
}

interface Settings {
  readonly faults: Faults;
  readonly settings: GraphBehaviour;
  readonly entra: EntraState;
}

interface Change<T> {
  readonly value: T;
  set(): void;
}

/** The given settings on top of the present ones; does not apply them yet. */
export function readSettings<Name extends KeptSettings>(
  { state, entra }: Pick<Controlled, "state" | "entra">,
  name: Name,
  given: unknown,
): Checked<Change<Settings[Name]>>;
export function readSettings(
  { state, entra }: Pick<Controlled, "state" | "entra">,
  name: KeptSettings,
  given: unknown,
): Checked<Change<unknown>> {
  switch (name) {
    case "faults":
      return changing(readFaults(given), (faults) => {
        state.faults = faults;
      });
    case "settings":
      return changing(readBehaviour(state.behaviour, given), (behaviour) => {
        state.behaviour = behaviour;
      });
    case "entra":
      return changing(readEntra(entra.state, given), (changed) => {
        entra.state = changed;
      });
  }
}

function changing<T>(checked: Checked<T>, set: (value: T) => void): Checked<Change<T>> {
  return checked.ok ? { ok: true, value: { value: checked.value, set: () => set(checked.value) } } : checked;
}

/** A secret that came from the environment may be a real one. */
function withoutSecrets(state: EntraState): unknown {
  return { ...state, secrets: state.secrets.map(() => "***") };
}

function ok(body: unknown): ControlReply {
  return { status: 200, body };
}
