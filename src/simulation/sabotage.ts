/** Turns off one defence of the registrar at a time, to see the checker catch what it defends against. */
import type { startRegistrar } from "../registrar/registrar.ts";
import type { RegistrarSettings } from "../registrar/settings.ts";
import type { World } from "./world.ts";

type Ports = Parameters<typeof startRegistrar>[0];
export type Sabotage = (
  ports: Ports,
  settings: RegistrarSettings,
  world: World,
) => { readonly ports: Ports; readonly settings: RegistrarSettings };

export const sabotages = {
  "settle-time": (ports, settings) => ({ ports, settings: { ...settings, settleMs: 0 } }),
} satisfies Record<string, Sabotage>;

export type SabotageName = keyof typeof sabotages;

export function isSabotageName(text: string): text is SabotageName {
  return Object.hasOwn(sabotages, text);
}
