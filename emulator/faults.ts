/** Which fault a request meets, by probability and a random function. Pure decisions, no effect. See docs/EMULATOR.md. */

import type { Random } from "./random.ts";

/** An answer instead of, or in place of, the true one; drawn for each request and each `$batch` item. */
const answerKinds = [
  /** 429 with Retry-After; not carried out. */
  "throttled",
  /** 429 without Retry-After; not carried out. */
  "throttledBare",
  /** 503 with Retry-After; not carried out. */
  "unavailable",
  /** 503 without Retry-After; not carried out. */
  "unavailableBare",
  /** 500; not carried out. */
  "errorBefore",
  /** 500; carried out. */
  "errorAfter",
  /** 504; not carried out. */
  "timeoutBefore",
  /** 504; carried out. */
  "timeoutAfter",
  /** Intune's transient 400 InternalError whose message is JSON text; not carried out. */
  "internalError",
  /** 503, 509, 423; carried out all the same, as behind a proxy that lost its patience. */
  "unavailableAfter",
  "bandwidthAfter",
  "lockedAfter",
] as const;

/** As an answer fault, but only for the items of a `$batch`. */
const itemOnlyKinds = [
  /** 429; carried out all the same. */
  "throttledItemAfter",
] as const;
export type AnswerFault = (typeof answerKinds)[number] | (typeof itemOnlyKinds)[number];

/** What happens to the connection; drawn once for each HTTP request. */
const transportKinds = [
  /** Connection reset; not carried out. */
  "resetBefore",
  /** Carried out, then the connection is reset. */
  "resetAfter",
  /** `slowMs` pass, then it is carried out if the client still waits (see `effectAfterHangUp`). */
  "slowBefore",
  /** Carried out immediately, the reply comes after `slowMs`. */
  "slowAfter",
  /** Carried out, half of the reply comes, then the connection is reset. */
  "truncated",
  /** A captive portal answers 200 with a page of HTML, or redirects (302) to one; not carried out. */
  "portal",
  "redirect",
  /** A proxy answers 400 with a page of HTML; not carried out, or carried out. */
  "htmlBefore",
  "htmlAfter",
] as const;
export type TransportFault = (typeof transportKinds)[number];

/** The outer form of a whole reply, whatever it says; each drawn on its own, for each reply. */
const formKinds = [
  /** A byte order mark before the JSON. */
  "bom",
  /** Compressed, although that was not requested. */
  "gzip",
  "deflate",
  "brotli",
  /** Neither a length nor chunks: the body ends with the connection. */
  "noLength",
  /** JSON that says it is text/html. */
  "wrongType",
] as const;
export type FormFault = (typeof formKinds)[number];

/** Only for `$batch`, drawn for the envelope. */
const batchKinds = [
  /** The envelope is answered 429 with Retry-After; no item is carried out. */
  "batchThrottled",
  /** The envelope is answered 503; no item is carried out. */
  "batchUnavailable",
  /** All carried out, the reply is not JSON, or lacks what a batch reply must have. */
  "batchMalformed",
  /** All carried out, the answer to one item is left out. */
  "batchMissingItem",
  /** The envelope is answered 400; no item is carried out. */
  "batchRefused",
] as const;
export type BatchFault = (typeof batchKinds)[number];

/** Only for the token endpoint: 503. */
export type TokenFault = "tokenUnavailable";

export type FaultKind = AnswerFault | TransportFault | BatchFault | FormFault | TokenFault;
export const faultKinds: readonly FaultKind[] = [
  ...answerKinds,
  ...itemOnlyKinds,
  ...transportKinds,
  ...batchKinds,
  ...formKinds,
  "tokenUnavailable",
];

/** Milliseconds that every request takes. lognormal: `sigma` of the logarithm around the median. */
export type Latency =
  | { readonly kind: "fixed"; readonly ms: number }
  | { readonly kind: "uniform"; readonly minMs: number; readonly maxMs: number }
  | { readonly kind: "lognormal"; readonly medianMs: number; readonly sigma: number };

/** Probabilities (0 to 1) by kind, those drawn together summing to at most 1, and their measures. */
export type Faults = Readonly<Record<FaultKind, number>> & {
  readonly latency: Latency;
  /** How long a slow request takes; to be set above the client's time-out. */
  readonly slowMs: number;
  /** What an invented 429 or 503 asks for. */
  readonly retryAfterMs: number;
  /** A slowBefore request is carried out though the client hung up in the meantime. */
  readonly effectAfterHangUp: boolean;
};

const none: Faults = {
  ...(Object.fromEntries(faultKinds.map((kind) => [kind, 0])) as Record<FaultKind, number>),
  latency: { kind: "fixed", ms: 0 },
  slowMs: 5_000,
  retryAfterMs: 1_000,
  effectAfterHangUp: false,
};

const profiles = {
  none,
  /** A bad day: about one request in six meets something. */
  flaky: {
    ...none,
    throttled: 0.02,
    throttledBare: 0.02,
    unavailable: 0.02,
    unavailableBare: 0.01,
    errorBefore: 0.01,
    errorAfter: 0.01,
    timeoutBefore: 0.005,
    timeoutAfter: 0.005,
    internalError: 0.01,
    resetBefore: 0.01,
    resetAfter: 0.015,
    slowBefore: 0.005,
    slowAfter: 0.01,
    truncated: 0.01,
    batchMalformed: 0.01,
    batchMissingItem: 0.02,
    latency: { kind: "uniform", minMs: 2, maxMs: 30 },
  },
  /** More fails than succeeds. All that a worker must cope with; `throttledItemAfter` is none of it. */
  harsh: {
    ...none,
    throttled: 0.08,
    throttledBare: 0.05,
    unavailable: 0.05,
    unavailableBare: 0.04,
    errorBefore: 0.04,
    errorAfter: 0.04,
    timeoutBefore: 0.02,
    timeoutAfter: 0.03,
    internalError: 0.04,
    resetBefore: 0.04,
    resetAfter: 0.05,
    slowBefore: 0.02,
    slowAfter: 0.03,
    truncated: 0.03,
    unavailableAfter: 0.03,
    bandwidthAfter: 0.01,
    lockedAfter: 0.01,
    htmlAfter: 0.01,
    batchThrottled: 0.03,
    batchUnavailable: 0.03,
    batchRefused: 0.03,
    batchMalformed: 0.05,
    batchMissingItem: 0.08,
    tokenUnavailable: 0.05,
    latency: { kind: "lognormal", medianMs: 20, sigma: 1 },
  },
} satisfies Record<string, Faults>;

export type FaultProfile = keyof typeof profiles;
export const faultProfileNames = Object.keys(profiles) as FaultProfile[];

export function faultProfile(name: FaultProfile): Faults {
  return profiles[name];
}

/** The fault of one plain request. */
export function drawRequestFault(faults: Faults, random: Random): RequestFault | null {
  return draw(faults, requestKinds, random);
}

/** The fault of a `$batch` envelope. */
export function drawBatchFault(faults: Faults, random: Random): TransportFault | BatchFault | null {
  return draw(faults, envelopeKinds, random);
}

/** The fault of one item inside a `$batch`. */
export function drawItemFault(faults: Faults, random: Random): AnswerFault | null {
  return draw(faults, itemKinds, random);
}

/** The outer form of one reply. A fault that can't occur uses no random number, so that it changes no sequence. */
export function drawForms(faults: Faults, random: Random): FormFault[] {
  return formKinds.filter((kind) => faults[kind] > 0 && random() < faults[kind]);
}

export function drawTokenFault(faults: Faults, random: Random): TokenFault | null {
  return draw(faults, tokenKinds, random);
}

export function drawLatencyMs(latency: Latency, random: Random): number {
  if (latency.kind === "fixed") return latency.ms;
  if (latency.kind === "uniform") return latency.minMs + (latency.maxMs - latency.minMs) * random();
  // Box-Muller; 1 - u keeps the logarithm finite.
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return latency.medianMs * Math.exp(latency.sigma * normal);
}

/** The larger sum of those drawn together: for a request, for a `$batch`, or for an item of one. */
export function probabilitySum(faults: Faults): number {
  const sumOf = (kinds: readonly FaultKind[]) => kinds.reduce((sum, kind) => sum + faults[kind], 0);
  return Math.max(sumOf(requestKinds), sumOf(envelopeKinds), sumOf(itemKinds));
}

export type RequestFault = (typeof answerKinds)[number] | TransportFault;
const requestKinds: readonly RequestFault[] = [...answerKinds, ...transportKinds];
const itemKinds: readonly AnswerFault[] = [...answerKinds, ...itemOnlyKinds];
const envelopeKinds = [...transportKinds, ...batchKinds];
const tokenKinds: readonly TokenFault[] = ["tokenUnavailable"];

function draw<K extends FaultKind>(faults: Faults, kinds: readonly K[], random: Random): K | null {
  let point = random();
  for (const kind of kinds) {
    point -= faults[kind];
    if (point < 0) return kind;
  }
  return null;
}
