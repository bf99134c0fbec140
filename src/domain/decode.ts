/**
 * A record of `connector.enrolled` to an enrollment, or to the reason why it is none.
 *
 * - Never throws, whatever the bytes.
 * - Stages: value, CloudEvents attributes, type, tenant, data. The first stage that fails answers, with all the
 *   pointers that failed in it.
 * - Nothing is normalised but the tenant id's case: strings come out as they came in.
 */
import type { LogRecord } from "../ports.ts";
import { readCloudEvent, traceparentOfRecord } from "./cloud-event.ts";
import {
  type Enrollment,
  enrolledType,
  enrollmentDetails,
  eventAttributes,
  isEnrollmentDetails,
  isEventAttributes,
} from "./enrollment.ts";
import { isJsonObject, type JsonObject } from "./json-value.ts";
import { quote, type Refusal, type RefusalCode, refusal } from "./refusal.ts";
import { isTraceparent } from "./traceparent.ts";
import { isUuid } from "./uuid.ts";
import { type Violation, type ViolationKind, violations } from "./violations.ts";

export type Decoded =
  | { readonly ok: true; readonly enrollment: Enrollment }
  | { readonly ok: false; readonly refusal: Refusal };

/** `isTenantAllowed` gets the tenant id in lower case. */
export function decode(
  record: Pick<LogRecord, "value" | "headers">,
  isTenantAllowed: (tenantId: string) => boolean,
): Decoded {
  const read = readCloudEvent(record);
  if (!read.ok) return read;
  const { event } = read;

  if (!isEventAttributes.Check(event))
    return refuse(attributeRefusal(violations(eventAttributes, unsetNulls(event), "")));
  if (event.type !== enrolledType) {
    return refuse(
      refusal("type-unknown", `/type is ${quote(event.type)} and must be "${enrolledType}".`, ["/type"]),
    );
  }

  const tenant = readTenant((event as JsonObject).tenantid, isTenantAllowed);
  if (typeof tenant !== "string") return refuse(tenant);

  const { data, traceparent } = event as JsonObject;
  if (data === undefined || data === null) {
    const message = "/data is missing. Send the enrollment's properties in it.";
    return refuse(refusal("data-missing", message, ["/data"]));
  }
  if (!isJsonObject(data))
    return refuse(refusal("data-not-object", "/data must be a JSON object.", ["/data"]));
  if (!isEnrollmentDetails.Check(data))
    return refuse(propertyRefusal(violations(enrollmentDetails, data, "/data")));

  const { connectorName, machineName, enrollmentDateTime, lastCheckinDateTime, connectorVersion } = data;
  const trace = isTraceparent(traceparent) ? traceparent : traceparentOfRecord(record.headers);
  return {
    ok: true,
    enrollment: {
      tenantId: tenant,
      details: { connectorName, machineName, enrollmentDateTime, lastCheckinDateTime, connectorVersion },
      event: { id: event.id, source: event.source, traceparent: trace },
    },
  };
}

function refuse(reason: Refusal): Decoded {
  return { ok: false, refusal: reason };
}

function readTenant(value: unknown, isTenantAllowed: (tenantId: string) => boolean): string | Refusal {
  const pointers = ["/tenantid"];
  if (value === undefined || value === null || value === "") {
    return refusal("tenant-missing", "/tenantid is missing. Send the tenant's GUID in it.", pointers);
  }
  if (typeof value !== "string" || !isUuid(value)) {
    const shown = typeof value === "string" ? ` ${quote(value)}` : "";
    return refusal(
      "tenant-malformed",
      `/tenantid${shown} is not a GUID. Send the tenant's GUID in it.`,
      pointers,
    );
  }
  const tenantId = value.toLowerCase();
  if (isTenantAllowed(tenantId)) return tenantId;
  const message = `Tenant ${tenantId} is not among those allowed. Allow it in the configuration, then replay.`;
  return refusal("tenant-not-allowed", message, pointers);
}

/** CloudEvents: an attribute that is null is an attribute that isn't there. */
function unsetNulls(event: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(event).filter(([, value]) => value !== null));
}

function attributeRefusal(found: readonly Violation[]): Refusal {
  const code = found.every(({ kind }) => kind === "missing") ? "attribute-missing" : "attribute-invalid";
  return violationRefusal(code, found);
}

function propertyRefusal(found: readonly Violation[]): Refusal {
  const kinds = new Set(found.map(({ kind }) => kind));
  const [first] = kinds;
  return violationRefusal(kinds.size === 1 ? propertyCode(first!) : "properties-invalid", found);
}

function propertyCode(kind: ViolationKind): RefusalCode {
  switch (kind) {
    case "missing":
      return "property-missing";
    case "wrong-type":
      return "property-wrong-type";
    case "empty":
      return "property-empty";
    case "too-long":
      return "property-too-long";
    case "characters":
    case "value":
      return "property-characters";
    default:
      return kind;
  }
}

function violationRefusal(code: RefusalCode, found: readonly Violation[]): Refusal {
  const message = `${found.map(({ text }) => text).join("; ")}. Correct it where the event is made, and send it again.`;
  const pointers = found.map(({ pointer }) => pointer);
  return refusal(code, message, pointers);
}
