/**
 * Which objects of a tenant's list are those of its records in doubt, where Graph may have changed what it keeps.
 *
 * 1. An object under our own id is ours, whatever it looks like.
 * 2. INV-ADOPTION: an object that another enrollment has claimed is never adopted: registered for it, or about to be. Nor
 *    is one that only looks alike and whose id is of the form that ours have (UUID version 5; servers make other ones): it
 *    was made under another enrollment's id, also where that enrollment's record is gone from the log.
 * 3. The exact match goes first. One that equals another enrollment in work exactly is that one's.
 * 4. What else could be the object of several: the earliest in doubt claims it. While a create of another one is under
 *    way that could have made it, none claims it, and nothing counts as absent.
 * 5. What Graph may do to what it keeps is what its answers to creates have shown, and what those objects of the list do
 *    not contradict that are known to be ours: registered, or under an id of ours. Others may have been made another way,
 *    or before Graph began to change what it keeps, so their form says nothing.
 */
import { identify } from "../../domain/identity.ts";
import {
  changesBetween,
  coarser,
  coarsestOf,
  exactForm,
  type Form,
  formBetween,
  isSameUnder,
  looseKey,
} from "../../domain/same-enrollment.ts";
import { isUuidV5 } from "../../domain/uuid.ts";
import type { GraphChange, GraphObject } from "../../graph-port.ts";
import type { Observer } from "../../observer.ts";
import { claimedId, mayHaveMade } from "../intake/stage.ts";
import { claimedIds } from "../ledger/ledger.ts";
import type { Work } from "../ownership/partition.ts";
import type { RegistrarSettings } from "../settings.ts";

export type Match =
  /** The first is to be registered; the others are of the same enrollment. */
  | { readonly kind: "found"; readonly objects: readonly GraphObject[] }
  | { readonly kind: "none" }
  /** It is not known yet. */
  | { readonly kind: "undecided" };

/** What Graph has shown to do to what it keeps, for the life of the process. */
export interface ShownForm {
  learn(sent: Work["enrollment"]["details"], kept: GraphObject): void;
  readonly form: Form;
}

export function createShownForm(observe: Observer): ShownForm {
  const told = new Set<GraphChange>();
  const shown = {
    form: exactForm,
    learn(sent: Work["enrollment"]["details"], kept: GraphObject) {
      const between = formBetween(sent, kept);
      if (between === null) return;
      shown.form = coarser(shown.form, between);
      const news = changesBetween(sent, kept).filter((what) => !told.has(what));
      for (const what of news) told.add(what);
      if (news.length > 0) observe({ kind: "graph-normalises", what: [...told] });
    },
  };
  return shown;
}

export interface Matching {
  readonly tenantId: string;
  /** Live records in doubt of the tenant, which all stand in one partition. */
  readonly due: readonly Work[];
  /** Those of its list. */
  readonly objects: readonly GraphObject[];
  /** What Graph has shown to do to what it keeps. */
  readonly shown: Form;
  readonly sabotage?: RegistrarSettings["sabotage"];
}

export function matchAll({
  tenantId,
  due,
  objects,
  shown,
  sabotage = new Set(),
}: Matching): Map<Work, Match> {
  const matches = new Map<Work, Match>();
  const partition = due[0]?.partition;
  if (partition === undefined) return matches;
  const peers = partition.tenants.get(tenantId) ?? new Set(due);
  const peersByName = Map.groupBy(peers, ({ enrollment }) => looseKey(enrollment.details));
  const byName = Map.groupBy(objects, looseKey);
  const byId = Map.groupBy(objects, ({ id }) => id.toLowerCase());
  const claimed = claimedIds(partition.ledger, new Set(byId.keys()));
  for (const { stage } of peers) {
    const id = claimedId(stage);
    if (id !== null) claimed.add(id.toLowerCase());
  }
  const known = sabotage.has("form-of-others") ? objects : knownOf(objects, claimed, peers);
  const form = coarser(shown, coarsestOf(known)); // 5
  const near = new Map(due.map((work) => [work, nearOf(work)]));

  for (const work of inOrder(due, peers)) {
    const free = near
      .get(work)!
      .filter(({ id }) => sabotage.has("claimed-objects") || !claimed.has(id.toLowerCase())); // INV-ADOPTION
    const match = choose(work, free);
    matches.set(work, match);
    if (match.kind === "found") for (const { id } of match.objects) claimed.add(id.toLowerCase());
  }
  return matches;

  function nearOf({ enrollment }: Work): GraphObject[] {
    const { details } = enrollment;
    return (byName.get(looseKey(details)) ?? []).filter((object) => isSameUnder(form, details, object));
  }

  function choose(work: Work, free: readonly GraphObject[]): Match {
    const { idempotencyKey } = work;
    const own = byId.get(idempotencyKey) ?? []; // 1
    const exact = free.filter((object) => keyOf(object) === idempotencyKey && !own.includes(object));
    const sure = [...own, ...leastFirst(exact)];
    return sure.length > 0 ? { kind: "found", objects: sure } : chooseLoosely(work, free); // 3
  }

  function chooseLoosely(work: Work, free: readonly GraphObject[]): Match {
    const unlabelled = sabotage.has("ids-of-others") ? free : free.filter(({ id }) => !isUuidV5(id)); // INV-ADOPTION
    if (unlabelled.length === 0) return { kind: "none" };
    const rivals = peersByName.get(looseKey(work.enrollment.details))!.filter((peer) => peer !== work);
    const keys = new Set(rivals.map(({ idempotencyKey }) => idempotencyKey));
    const possible = unlabelled.filter((object) => !keys.has(keyOf(object) ?? "")); // 3, INV-ADOPTION
    if (possible.length === 0) return { kind: "none" };
    const couldBe = (rival: Work, object: GraphObject) => isSameUnder(form, rival.enrollment.details, object);
    const underWay = rivals.filter(({ stage }) => mayHaveMade(stage));
    const found = leastFirst(possible.filter((object) => !underWay.some((rival) => couldBe(rival, object))));
    if (found.length === 0) return { kind: "undecided" }; // 4, INV-ADOPTION
    const isShared = rivals.some((rival) => rival.stage.doubt !== null && couldBe(rival, found[0]!));
    return { kind: "found", objects: isShared ? found.slice(0, 1) : found };
  }

  function keyOf(object: GraphObject): string | undefined {
    return identify(tenantId, object)?.idempotencyKey;
  }
}

/** Those that are ours for sure. */
function knownOf(
  objects: readonly GraphObject[],
  claimed: ReadonlySet<string>,
  peers: ReadonlySet<Work>,
): readonly GraphObject[] {
  const ownIds = new Set([...peers].map(({ idempotencyKey }) => idempotencyKey));
  return objects.filter(({ id }) => claimed.has(id.toLowerCase()) || ownIds.has(id.toLowerCase()));
}

/** In the order in which they came. */
function inOrder(due: readonly Work[], peers: ReadonlySet<Work>): Work[] {
  const isDue = new Set(due);
  return [...[...peers].filter((peer) => isDue.has(peer)), ...due.filter((work) => !peers.has(work))];
}

/** The same choice on every worker. */
function leastFirst(objects: readonly GraphObject[]): GraphObject[] {
  return objects.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}
