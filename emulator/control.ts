/** The control endpoint `/_control`: reads the inventory and counts, sets faults and behaviour. JSON in, JSON out. */

import { readBehaviour, readFaults } from "./control-input.ts";
import { readEntra } from "./entra/input.ts";
import type { EntraState } from "./entra/state.ts";
import { parseJson } from "./exchange.ts";
import type { GraphState } from "./graph.ts";
import { inventoryOf } from "./model.ts";
import type { Checked } from "./resource.ts";
import { type RequestCounts, statsOf } from "./stats.ts";

export interface Controlled {
  readonly state: GraphState;
  readonly entra: { state: EntraState };
  counts(): RequestCounts;
  reset(): void;
}

export interface ControlReply {
  readonly status: number;
  readonly body: unknown;
}

export function control(controlled: Controlled, method: string, url: string, text: string): ControlReply {
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
      return take(
        readEntra(entra.state, parseJson(text)),
        (changed) => {
          entra.state = changed;
        },
        withoutSecrets,
      );
    case "PUT /_control/faults":
      return take(readFaults(parseJson(text)), (faults) => {
        state.faults = faults;
      });
    case "PUT /_control/settings":
      return take(readBehaviour(state.behaviour, parseJson(text)), (behaviour) => {
        state.behaviour = behaviour;
      });
    case "POST /_control/reset":
      controlled.reset();
      return ok({});
    default:
      return { status: 404, body: { error: `No ${method} ${url.slice(0, 64)}. ${known}` } };
  }
}

const known =
  "Known: GET inventory, stats, faults, settings, entra; PUT faults, settings, entra; POST reset; all under /_control/.";

function take<T>(
  checked: Checked<T>,
  set: (value: T) => void,
  shown: (value: T) => unknown = (value) => value,
): ControlReply {
  if (!checked.ok) return { status: 400, body: { error: checked.message } };
  set(checked.value);
  return ok(shown(checked.value));
}

/** A secret that came from the environment may be a real one. */
function withoutSecrets(state: EntraState): unknown {
  return { ...state, secrets: state.secrets.map(() => "***") };
}

function ok(body: unknown): ControlReply {
  return { status: 200, body };
}
