/** Query options of a GET: which are taken, and what they ask for. Pure. */

import { type Predicate, readFilter } from "./filter.ts";
import { type Checked, type Property, propertyNamed } from "./resource.ts";

export interface Order {
  readonly property: Property;
  readonly descending: boolean;
}

export interface ListQuery {
  /** Null: the page size of the settings. */
  readonly top: number | null;
  readonly skipToken: string | null;
  /** Null: all properties. */
  readonly select: readonly Property[] | null;
  readonly count: boolean;
  readonly orderBy: readonly Order[];
  readonly filter: Predicate | null;
  /** All but the skip token, for the link to the next page; it ends with `&` unless it is "". */
  readonly carried: string;
}

const maxPageSize = 1_000;
const always = ["$skiptoken", "$top"];
const bySwitch = ["$select", "$count", "$orderby", "$filter"];

/** It asks for nothing but a page. */
export function isPlain({ select, count, orderBy, filter }: ListQuery): boolean {
  return select === null && !count && orderBy.length === 0 && filter === null;
}

/** `taken`: those are carried out that else are refused. */
export function readListQuery(query: string, taken: boolean): Checked<ListQuery> {
  const options = readOptions(query, taken ? [...always, ...bySwitch] : always);
  if (!options.ok) return options;
  const given = options.value;
  const top = given.get("$top") ?? null;
  if (top !== null && !(/^\d{1,4}$/.test(top) && Number(top) >= 1 && Number(top) <= maxPageSize))
    return refused(`$top must be 1 to ${maxPageSize}.`);
  const select = readSelect(given.get("$select"));
  if (!select.ok) return select;
  const count = given.get("$count") ?? "false";
  if (count !== "true" && count !== "false") return refused("$count must be true or false.");
  const orderBy = readOrderBy(given.get("$orderby"));
  if (!orderBy.ok) return orderBy;
  const filter = given.get("$filter");
  const predicate = filter === undefined ? null : readFilter(filter);
  if (predicate !== null && !predicate.ok) return predicate;
  return {
    ok: true,
    value: {
      top: top === null ? null : Number(top),
      skipToken: given.get("$skiptoken") ?? null,
      select: select.value,
      count: count === "true",
      orderBy: orderBy.value,
      filter: predicate?.value ?? null,
      carried: carriedOf(given),
    },
  };
}

/** What `$select` of a single object says; null: all properties. */
export function readGetQuery(query: string, taken: boolean): Checked<readonly Property[] | null> {
  const options = readOptions(query, taken ? ["$select"] : []);
  return options.ok ? readSelect(options.value.get("$select")) : options;
}

function readOptions(query: string, known: readonly string[]): Checked<ReadonlyMap<string, string>> {
  const given = new Map<string, string>();
  if (query === "") return { ok: true, value: given };
  for (const [name, value] of new URLSearchParams(query)) {
    const shown = name.slice(0, 64);
    if (!known.includes(name)) return refused(`The query option '${shown}' is not supported here.`);
    if (given.has(name)) return refused(`The query option '${shown}' is given more than once.`);
    given.set(name, value);
  }
  return { ok: true, value: given };
}

function readSelect(text: string | undefined): Checked<readonly Property[] | null> {
  if (text === undefined) return { ok: true, value: null };
  const properties: Property[] = [];
  for (const name of text.split(",")) {
    const property = propertyNamed(name.trim());
    if (!property.ok) return property;
    if (!properties.includes(property.value)) properties.push(property.value);
  }
  return { ok: true, value: properties };
}

function readOrderBy(text: string | undefined): Checked<readonly Order[]> {
  const orders: Order[] = [];
  for (const part of text?.split(",") ?? []) {
    const [name = "", direction = "asc", ...more] = part.trim().split(/\s+/);
    const property = propertyNamed(name);
    if (!property.ok) return property;
    if (more.length > 0 || !/^(?:asc|desc)$/.test(direction))
      return refused(`Invalid order: '${part.trim().slice(0, 64)}' is not a property with asc or desc.`);
    if (orders.some((order) => order.property === property.value))
      return refused(`The property '${name}' is given more than once in $orderby.`);
    orders.push({ property: property.value, descending: direction === "desc" });
  }
  return { ok: true, value: orders };
}

function carriedOf(given: ReadonlyMap<string, string>): string {
  return [...given]
    .filter(([name]) => name !== "$skiptoken")
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}&`)
    .join("");
}

function refused(message: string): Checked<never> {
  return { ok: false, message };
}
