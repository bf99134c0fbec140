/** What the emulated Graph does beside faults; changeable while it runs. Plain data. */

import type { Normalisation } from "./normalise.ts";
import { documentedLimits, type Limits } from "./throttle.ts";

/** What becomes of an id that the client sends with a create. */
export type IdMode = "honour" | "ignore" | "refuse";

/** "no-licence" is what Intune answers for a tenant that it doesn't serve: 400 BadRequest, recognised by its message only. */
export type Block =
  | "unauthorized"
  | "forbidden"
  | "no-licence"
  | { readonly status: number; readonly code: string; readonly message: string };

/**
 * How lists fail in part. "circle", "elsewhere", "empty-link": where the link to the next page leads, from the first
 * page on. "endless": empty pages without end. "hole", "no-object": the last item of a page lacks its id, or is a number.
 */
export const listForms = [
  "whole",
  "circle",
  "elsewhere",
  "empty-link",
  "endless",
  "hole",
  "no-object",
] as const;
export type ListForm = (typeof listForms)[number];

/**
 * "reset": every connection that asks for anything is reset. "silence": what is asked is never answered, nor carried
 * out. "unavailable": 503 for all. Tokens too.
 */
export const outages = ["none", "reset", "silence", "unavailable"] as const;
type Outage = (typeof outages)[number];

export interface GraphBehaviour {
  readonly idMode: IdMode;
  /** Null: no throttling. */
  readonly throttle: Limits | null;
  /** How Retry-After is written where one is given. */
  readonly retryAfter: "seconds" | "fractional" | "http-date" | "absent";
  /** What each of these tenants is answered instead. */
  readonly blocks: Readonly<Record<string, Block>>;
  readonly outage: Outage;
  /** "missing": no such collection. "create-missing": it can be read only. */
  readonly route: "present" | "missing" | "create-missing";
  /** Roles that the app was granted. */
  readonly permission: "read-write" | "read" | "none";
  /** A created object appears in lists after this time. */
  readonly listLagMs: number;
  /** Objects a page, 1 to 1,000. */
  readonly pageSize: number;
  /** GET of one object answers `{value: {...}}`, as in the documented example. */
  readonly wrapEntity: boolean;
  /** What becomes of the values of objects that are created or changed. */
  readonly normalise: readonly Normalisation[];
  readonly listForm: ListForm;
  /** $select, $count, $orderby and $filter are carried out; else refused. */
  readonly queryOptions: boolean;
}

export const defaultBehaviour: GraphBehaviour = {
  idMode: "honour",
  throttle: documentedLimits,
  retryAfter: "seconds",
  blocks: {},
  outage: "none",
  route: "present",
  permission: "read-write",
  listLagMs: 0,
  pageSize: 100,
  wrapEntity: false,
  normalise: [],
  listForm: "whole",
  queryOptions: false,
};
