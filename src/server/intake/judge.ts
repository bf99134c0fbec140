/**
 * What the worker would say of an event, said before it is stored: the same decode(), hence the same codes and pointers as
 * in the dead letters. Beside that, whether its sender may enroll for its tenant.
 */
import assert from "node:assert/strict";
import { decode } from "../../domain/decode.ts";
import { identify } from "../../domain/identity.ts";
import { homePartition } from "../../domain/murmur2.ts";
import type { Refusal } from "../../domain/refusal.ts";
import type { NewRecord } from "../../ports.ts";
import { mayUse, type Principal } from "../auth/principal.ts";
import type { RawEvent } from "./binding.ts";

export interface AcceptedEvent {
  readonly ok: true;
  readonly key: string;
  readonly tenantId: string;
  /** CloudEvents id. */
  readonly eventId: string;
  /** Of the event itself; null: it has none that can be read. */
  readonly traceparent: string | null;
  readonly record: NewRecord;
}

export type Verdict =
  | AcceptedEvent
  | { readonly ok: false; readonly forbiddenTenant: string }
  | { readonly ok: false; readonly forbiddenTenant: null; readonly refusal: Refusal };

export interface JudgeContext {
  readonly principal: Principal;
  readonly isTenantAllowed: (tenantId: string) => boolean;
  readonly partitionCount: number;
}

export function judge(
  event: RawEvent,
  { principal, isTenantAllowed, partitionCount }: JudgeContext,
): Verdict {
  let forbiddenTenant: string | null = null;
  const decoded = decode(event, (tenantId) => {
    // Whether others' tenants are served is nothing that a sender learns.
    if (!mayUse(principal, tenantId)) forbiddenTenant = tenantId;
    return forbiddenTenant === null && isTenantAllowed(tenantId);
  });
  if (forbiddenTenant !== null) return { ok: false, forbiddenTenant };
  if (!decoded.ok) return { ok: false, forbiddenTenant, refusal: decoded.refusal };
  const { tenantId, details, event: attributes } = decoded.enrollment;
  const identity = identify(tenantId, details);
  assert(identity !== null, "decode accepted a date-time that has no instant");
  return {
    ok: true,
    key: identity.idempotencyKey,
    tenantId,
    eventId: attributes.id,
    traceparent: attributes.traceparent,
    record: {
      topic: "enrolled",
      partition: homePartition(tenantId, partitionCount),
      key: Buffer.from(tenantId),
      value: event.value,
      headers: event.headers,
    },
  };
}
