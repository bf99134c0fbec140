/** The certificateConnectorDetails resource: which bodies Graph takes for it. */

import { readDateTimeOffset } from "./date-time.ts";

/** As Graph documents it, strings as they were given. */
export interface GraphObject {
  readonly id: string;
  readonly connectorName: string;
  readonly machineName: string;
  readonly enrollmentDateTime: string;
  readonly lastCheckinDateTime: string;
  readonly connectorVersion: string;
}

export const odataType = "#microsoft.graph.certificateConnectorDetails";

/** Null as `id`: the body has none. */
export type CreateBody = { readonly id: string | null; readonly details: Omit<GraphObject, "id"> };

export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly message: string };

/** Ids stand in paths and in the Location header. */
const idPattern = /^[\w.=~-]{1,128}$/;

export type Property = keyof GraphObject;
export const kinds: Readonly<Record<Property, "string" | "date-time">> = {
  id: "string",
  connectorName: "string",
  machineName: "string",
  enrollmentDateTime: "date-time",
  lastCheckinDateTime: "date-time",
  connectorVersion: "string",
};
const settable = Object.keys(kinds).filter((name) => name !== "id") as Exclude<Property, "id">[];

/** Of a query option. */
export function propertyNamed(name: string): Checked<Property> {
  if (Object.hasOwn(kinds, name)) return { ok: true, value: name as Property };
  return refused(`Could not find a property named '${name.slice(0, 64)}' on type '${odataType.slice(1)}'.`);
}

/** A POST body: all properties but `id` are needed. */
export function checkCreate(body: unknown): Checked<CreateBody> {
  const checked = checkProperties(body);
  if (!checked.ok) return checked;
  const given = checked.value;
  const missing = settable.find((name) => given[name] === undefined);
  if (missing !== undefined) return refused(`The property '${missing}' is required.`);
  const { id = null, ...details } = given;
  return { ok: true, value: { id, details: inOrder(details as Omit<GraphObject, "id">) } };
}

/** A PATCH body: any of the properties; `id` only if it stays the same. */
export function checkUpdate(body: unknown, id: string): Checked<Partial<Omit<GraphObject, "id">>> {
  const checked = checkProperties(body);
  if (!checked.ok) return checked;
  const { id: givenId = id, ...changes } = checked.value;
  if (givenId !== id) return refused("The property 'id' cannot be changed.");
  return { ok: true, value: changes };
}

function checkProperties(body: unknown): Checked<Partial<GraphObject>> {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    return refused("The request body must be one JSON object.");
  }
  const given: Partial<Record<Property, string>> = {};
  for (const [name, value] of Object.entries(body)) {
    if (name === "@odata.type" && value !== odataType) {
      return refused(`The type '${String(value).slice(0, 128)}' is not '${odataType}'.`);
    }
    if (name.startsWith("@odata.")) continue;
    if (!Object.hasOwn(kinds, name)) {
      return refused(`The property '${name.slice(0, 128)}' does not exist on type '${odataType.slice(1)}'.`);
    }
    const property = name as Property;
    if (typeof value !== "string") return refused(`The property '${name}' must be a string.`);
    if (property === "id" && !idPattern.test(value))
      return refused("The property 'id' is not an identifier.");
    if (kinds[property] === "date-time" && readDateTimeOffset(value) === null) {
      return refused(`The value of property '${name}' is not a valid Edm.DateTimeOffset.`);
    }
    given[property] = value;
  }
  return { ok: true, value: given };
}

/** Always answered in the documented order, whatever order they came in. */
function inOrder(details: Omit<GraphObject, "id">): Omit<GraphObject, "id"> {
  const { connectorName, machineName, enrollmentDateTime, lastCheckinDateTime, connectorVersion } = details;
  return { connectorName, machineName, enrollmentDateTime, lastCheckinDateTime, connectorVersion };
}

function refused(message: string): { readonly ok: false; readonly message: string } {
  return { ok: false, message };
}
