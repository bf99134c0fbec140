/** The simulated Graph service: objects by tenant, what it makes of one item, and what a list shows at a moment. */
import type { CreateRequest, GraphAnswer, GraphObject } from "../ports.ts";
import { type Dice, guid } from "./dice.ts";
import { epochMs } from "./process.ts";
import type { Scheduler } from "./scheduler.ts";
import type { GraphWeather } from "./weather.ts";

/** What the service does with an id that the client sends. */
export type IdMode = "honours" | "ignores" | "refuses";
export type Trouble = "throttle" | "401" | "403" | "credential" | "connect" | "silent" | "503" | "500";

export interface GraphServerSettings {
  readonly idMode: IdMode;
  /** Date-times come back in UTC: the same instant in another text. */
  readonly normalises: (enrollmentDateTime: string) => string;
  /** Records that Graph refuses whatever happens. */
  readonly refuses: (tenantId: string, details: CreateRequest["details"]) => boolean;
  /** A tenant that never had a connector answers its list with an error. */
  readonly emptyListIsError: boolean;
  readonly weather: () => GraphWeather;
  /** What is wrong for this tenant at this moment, if anything. */
  readonly trouble: (tenantId: string) => Trouble | null;
  readonly onCreated: (tenantId: string, object: GraphObject, call: GraphCall, item: number) => void;
}

/** One create call of a worker. */
export interface GraphCall {
  readonly by: string;
  readonly number: number;
  readonly calledAtMs: number;
}

export interface GraphServer {
  readonly settings: GraphServerSettings;
  /** Carries out one item, or refuses it. `effectLater` delays the creation itself, without an answer. */
  create(tenantId: string, request: CreateRequest, call: GraphCall, item: number): GraphAnswer;
  list(tenantId: string): readonly GraphObject[] | GraphAnswer;
  get(tenantId: string, id: string): GraphAnswer;
  add(tenantId: string, object: GraphObject): void;
  inventory(): ReadonlyMap<string, readonly GraphObject[]>;
}

interface Stored {
  readonly object: GraphObject;
  readonly visibleAtMs: number;
}

export function createGraphServer(
  settings: GraphServerSettings,
  scheduler: Scheduler,
  dice: Dice,
): GraphServer {
  const tenants = new Map<string, Stored[]>();
  const objectsOf = (tenantId: string): Stored[] => {
    const found = tenants.get(tenantId) ?? [];
    tenants.set(tenantId, found);
    return found;
  };
  const add = (tenantId: string, object: GraphObject): void => {
    const lagMs = dice.int(0, settings.weather().listLagMaxMs);
    objectsOf(tenantId).push({ object, visibleAtMs: scheduler.nowMs() + lagMs });
  };
  let requests = 0;
  const answer = (
    status: number,
    errorCode: string,
    errorMessage: string,
    retryAfter: string | null = null,
  ): GraphAnswer => ({
    kind: "answer",
    status,
    object: null,
    errorCode,
    errorMessage,
    retryAfter,
    requestId: `request-${++requests}`,
    date: null,
    ofBatch: false,
  });

  const trouble = (tenantId: string): GraphAnswer | null => {
    switch (settings.trouble(tenantId)) {
      case "401":
        return answer(401, "InvalidAuthenticationToken", "Access token validation failure.");
      case "403":
        return answer(403, "Forbidden", "Application is not authorized to perform this operation.");
      case "503":
        return answer(503, "ServiceUnavailable", "Try again later.", dice.chance(0.3) ? "5" : null);
      case "500":
        return answer(500, "InternalServerError", "Something went wrong.");
      case "throttle":
        return dice.chance(0.9) ? throttled() : null;
      default:
        return null;
    }
  };
  const throttled = (): GraphAnswer => {
    const seconds = dice.int(1, 12);
    const retryAfter = dice.pick([
      null,
      `${seconds}`,
      "0.249",
      `${seconds}.128`,
      new Date(epochMs + Math.floor(scheduler.nowMs()) + seconds * 1000).toUTCString(),
    ]);
    return answer(429, "TooManyRequests", "Too many requests.", retryAfter);
  };

  const flaw = (): GraphAnswer | null => {
    const weather = settings.weather();
    if (dice.chance(weather.throttle)) return throttled();
    if (dice.chance(weather.unavailable503)) return answer(503, "ServiceUnavailable", "Try again later.");
    if (dice.chance(weather.quirk400)) {
      return answer(400, "InternalError", '{"_version":3,"Message":"An internal server error has occurred"}');
    }
    return null;
  };
  const serverError = (): GraphAnswer | null => {
    const weather = settings.weather();
    if (dice.chance(weather.error500)) return answer(500, "InternalServerError", "Something went wrong.");
    if (dice.chance(weather.error504)) return answer(504, "GatewayTimeout", "The upstream gave no answer.");
    return null;
  };

  const carryOut = (tenantId: string, request: CreateRequest, call: GraphCall, item: number): GraphAnswer => {
    if (settings.idMode === "refuses" && request.id !== null) {
      return answer(400, "BadRequest", "The property 'id' is read-only and can't be set on create.");
    }
    if (settings.refuses(tenantId, request.details)) {
      return answer(400, "BadRequest", "Invalid value for property 'connectorVersion'.");
    }
    const stored = objectsOf(tenantId);
    const isHonoured = settings.idMode === "honours" && request.id !== null;
    if (isHonoured && stored.some(({ object }) => object.id === request.id)) {
      return answer(409, "Conflict", "An object with this id exists.");
    }
    const object: GraphObject = {
      ...request.details,
      enrollmentDateTime: settings.normalises(request.details.enrollmentDateTime),
      id: isHonoured ? request.id! : guid(dice),
    };
    add(tenantId, object);
    settings.onCreated(tenantId, object, call, item);
    return { ...answer(201, "", ""), object };
  };

  return {
    settings,
    create(tenantId, request, call, item) {
      const refused = trouble(tenantId) ?? flaw();
      if (refused !== null) return refused;
      const error = serverError();
      if (error === null) return carryOut(tenantId, request, call, item);
      if (dice.chance(settings.weather().errorHasEffect)) carryOut(tenantId, request, call, item);
      return error;
    },
    list(tenantId) {
      const refused = trouble(tenantId) ?? flaw() ?? serverError();
      if (refused !== null) return refused;
      const stored = objectsOf(tenantId);
      if (stored.length === 0 && settings.emptyListIsError) {
        return answer(404, "ResourceNotFound", "Resource not found.");
      }
      return stored.filter((one) => one.visibleAtMs <= scheduler.nowMs()).map((one) => one.object);
    },
    get(tenantId, id) {
      const refused = trouble(tenantId) ?? flaw() ?? serverError();
      if (refused !== null) return refused;
      const found = objectsOf(tenantId).find(({ object }) => object.id === id);
      if (found === undefined) return answer(404, "ResourceNotFound", "Resource not found.");
      return { ...answer(200, "", ""), object: found.object };
    },
    add,
    inventory: () =>
      new Map([...tenants].map(([tenantId, stored]) => [tenantId, stored.map((one) => one.object)])),
  };
}
