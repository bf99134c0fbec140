/**
 * What makes two enrollments the same one: tenant, machine (whatever its case), connector name, and the instant of
 * enrollment in 100 ns ticks (whatever its offset).
 *
 * The idempotency key is the version 5 UUID of the canonical form: a JSON array of these four as strings. It is
 * stored in the audit topic and in Graph, so neither the form nor the namespace may ever change.
 */
import { ticksOf } from "./date-time-offset.ts";
import type { EnrollmentDetails } from "./enrollment.ts";
import { uuidV5In } from "./uuid.ts";

/** The namespace is itself the version 5 UUID of "connector-registrar:enrollment" in RFC 9562's namespace for URLs. */
const keyOf = uuidV5In("aef794c2-b3bc-5d23-a54d-e5353f592d54");

export interface Identity {
  /** UUID, lower case. */
  readonly idempotencyKey: string;
  /** Records of one lane are handled in order; those of different lanes needn't be. */
  readonly lane: string;
}

/** Null: the enrollment date-time is not an instant (see date-time-offset.ts), so there is no identity. */
export function identify(
  tenantId: string,
  details: Pick<EnrollmentDetails, "machineName" | "connectorName" | "enrollmentDateTime">,
): Identity | null {
  const enrolledTicks = ticksOf(details.enrollmentDateTime);
  if (enrolledTicks === null) return null;
  const machine = foldMachineName(details.machineName);
  const tenant = tenantId.toLowerCase();
  const canonical = JSON.stringify([tenant, machine, details.connectorName, enrolledTicks]);
  return { idempotencyKey: keyOf(canonical), lane: `${tenant}\0${machine}` };
}

/**
 * Folds the case of a machine name by Unicode's default mappings, in no locale. Lower case first, then upper: either
 * alone tells apart letters that the other holds equal (ẞ and ß, K and the Kelvin sign). Folding twice changes nothing.
 */
export function foldMachineName(name: string): string {
  return name.toLowerCase().toUpperCase();
}
