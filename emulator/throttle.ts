/**
 * Throttling by sliding windows: of any `windowMs` milliseconds, at most `limit` calls are let through. Pure.
 *
 * A refused call counts as much as one let through, as on Graph: a client that ignores Retry-After stays out.
 */

export interface Limits {
  readonly windowMs: number;
  readonly writesPerAppAndTenant: number;
  readonly writesPerTenant: number;
  readonly requestsPerAppAndTenant: number;
  readonly requestsPerTenant: number;
  /** Over all tenants, per app. */
  readonly globalWindowMs: number;
  readonly requestsPerApp: number;
}

/** The limits published for Intune's device configuration, which lists connectors of the same kind. */
export const documentedLimits: Limits = {
  windowMs: 20_000,
  writesPerAppAndTenant: 100,
  writesPerTenant: 200,
  requestsPerAppAndTenant: 1_000,
  requestsPerTenant: 2_000,
  globalWindowMs: 10_000,
  requestsPerApp: 130_000,
};

/** The times of the last `limit` calls; the oldest of them decides about the next call. */
interface SlidingWindow {
  readonly limit: number;
  readonly times: number[];
  oldest: number;
}

export interface Throttle {
  readonly windows: Map<string, SlidingWindow>;
}

export function newThrottle(): Throttle {
  return { windows: new Map() };
}

/** Counts the call. 0: let through; else the milliseconds until the next would be, if none came before it. */
export function countCall(
  throttle: Throttle,
  limits: Limits,
  call: {
    readonly appId: string;
    readonly tenantId: string;
    readonly isWrite: boolean;
    readonly nowMs: number;
  },
): number {
  const { appId, tenantId, nowMs } = call;
  const count = (name: string, limit: number, windowMs: number) =>
    countIn(windowNamed(throttle, name, limit), windowMs, nowMs);
  const waits = [
    count(`any ${appId}`, limits.requestsPerApp, limits.globalWindowMs),
    count(`any ${appId} ${tenantId}`, limits.requestsPerAppAndTenant, limits.windowMs),
    count(`any * ${tenantId}`, limits.requestsPerTenant, limits.windowMs),
  ];
  if (call.isWrite) {
    waits.push(count(`write ${appId} ${tenantId}`, limits.writesPerAppAndTenant, limits.windowMs));
    waits.push(count(`write * ${tenantId}`, limits.writesPerTenant, limits.windowMs));
  }
  return Math.max(...waits);
}

/** A window starts again when its limit has been changed. */
function windowNamed(throttle: Throttle, name: string, limit: number): SlidingWindow {
  const known = throttle.windows.get(name);
  if (known?.limit === limit) return known;
  const window = { limit, times: [], oldest: 0 };
  throttle.windows.set(name, window);
  return window;
}

function countIn(window: SlidingWindow, windowMs: number, nowMs: number): number {
  const { limit } = window;
  if (window.times.length < limit) {
    window.times.push(nowMs);
    return 0;
  }
  const waitMs = window.times[window.oldest]! + windowMs - nowMs;
  window.times[window.oldest] = nowMs;
  window.oldest = (window.oldest + 1) % limit;
  // Refused: the window is full of the calls since, this one among them.
  return waitMs <= 0 ? 0 : window.times[window.oldest]! + windowMs - nowMs;
}
