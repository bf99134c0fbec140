/** The simulated Graph service: objects by tenant, what it makes of one item, and what a list shows at a moment. */
import type { CreateRequest, GraphAnswer, GraphObject, ListReply } from "../../src/graph-port.ts";
import type { SimContext } from "./context.ts";
import type { FaultClass } from "./fault-classes.ts";
import type { GraphFaultRates } from "./fault-rates.ts";
import { graphAnswer } from "./graph-answer.ts";
import { epochMs } from "./process.ts";
import { guid } from "./rng.ts";

/** What the service does with an id that the client sends. */
export type IdMode = "honours" | "ignores" | "refuses";
export type Trouble = "throttle" | "401" | "403" | "credential" | "connect" | "silent" | "503" | "500";
/** What goes wrong for one tenant and never ends. */
export type Defect = "blocked" | "list-refused" | "list-fails" | "list-incomplete" | "create-fails";
export type Operation = "create" | "list" | "get";

export interface GraphServerSettings {
  readonly idMode: IdMode;
  /** What it makes of the values that it is sent. */
  readonly normalises: (details: CreateRequest["details"]) => CreateRequest["details"];
  /** Records that Graph refuses whatever happens. */
  readonly refuses: (tenantId: string, details: CreateRequest["details"]) => boolean;
  /** A tenant that never had a connector answers its list with an error. */
  readonly emptyListIsError: boolean;
  readonly faultRates: () => GraphFaultRates;
  /** What is wrong for this tenant at this moment, if anything. */
  readonly trouble: (tenantId: string) => Trouble | null;
  /** What is permanently wrong with this operation. `details`: of a create. */
  readonly defect: (
    tenantId: string,
    operation: Operation,
    details: CreateRequest["details"] | null,
  ) => Defect | null;
  readonly strike: (fault: FaultClass) => void;
  readonly onCreated: (tenantId: string, object: GraphObject, item: ItemOfCall) => void;
}

/** One create call of a worker. */
export interface GraphCall {
  readonly by: string;
  readonly number: number;
  readonly calledAtMs: number;
}

/** One of the items that a call carries. `item`: which, from 0. */
export interface ItemOfCall extends GraphCall {
  readonly item: number;
}

export interface GraphServer {
  readonly settings: GraphServerSettings;
  /** Carries out one item, or refuses it. */
  create(tenantId: string, request: CreateRequest, item: ItemOfCall): GraphAnswer;
  list(tenantId: string): ListReply;
  get(tenantId: string, id: string): GraphAnswer;
  add(tenantId: string, object: GraphObject): void;
  /** Has been there for long: every list shows it. */
  hold(tenantId: string, object: GraphObject): void;
  inventory(): ReadonlyMap<string, readonly GraphObject[]>;
}

interface Stored {
  readonly object: GraphObject;
  readonly visibleAtMs: number;
}

export function createGraphServer(
  settings: GraphServerSettings,
  { scheduler, rng }: Pick<SimContext, "scheduler" | "rng">,
): GraphServer {
  const tenants = new Map<string, Stored[]>();
  const objectsOf = (tenantId: string): Stored[] => {
    const found = tenants.get(tenantId) ?? [];
    tenants.set(tenantId, found);
    return found;
  };
  const add = (tenantId: string, object: GraphObject): void => {
    const lagMs = rng.int(0, settings.faultRates().listLagMaxMs);
    objectsOf(tenantId).push({ object, visibleAtMs: scheduler.nowMs() + lagMs });
  };
  let requests = 0;
  const answer = (status: number, errorCode: string, errorMessage: string): GraphAnswer =>
    graphAnswer(status, {
      errorCode,
      errorMessage,
      requestId: `request-${++requests}`,
      date: new Date(epochMs + Math.floor(scheduler.nowMs())).toUTCString(),
    });

  const troubled = (tenantId: string): GraphAnswer | null => {
    const trouble = settings.trouble(tenantId);
    if (trouble === null) return null;
    settings.strike("tenant in trouble");
    switch (trouble) {
      case "401":
        return answer(401, "InvalidAuthenticationToken", "Access token validation failure.");
      case "403":
        return forbidden();
      case "503":
        return { ...unavailable(503), retryAfter: rng.chance(0.3) ? "5" : null };
      case "500":
        return failed();
      case "throttle":
        return rng.chance(0.9) ? throttled() : null;
      default:
        return null;
    }
  };
  const forbidden = (): GraphAnswer =>
    answer(403, "Forbidden", "Application is not authorized to perform this operation.");
  const failed = (): GraphAnswer => answer(500, "InternalServerError", "Something went wrong.");
  const unavailable = (status: number): GraphAnswer =>
    answer(status, "ServiceUnavailable", "Try again later.");
  const throttled = (): GraphAnswer => {
    settings.strike("throttled");
    const seconds = rng.int(1, 12);
    const retryAfter = rng.pick([
      null,
      `${seconds}`,
      "0.249",
      `${seconds}.128`,
      new Date(epochMs + Math.floor(scheduler.nowMs()) + seconds * 1000).toUTCString(),
    ]);
    return { ...answer(429, "TooManyRequests", "Too many requests."), retryAfter };
  };
  const defective = (
    tenantId: string,
    operation: Operation,
    details: CreateRequest["details"] | null,
  ): GraphAnswer | null => {
    switch (settings.defect(tenantId, operation, details)) {
      case "blocked":
        settings.strike("tenant blocked for good");
        return forbidden();
      case "list-refused":
        settings.strike("list refused for good");
        return forbidden();
      case "list-fails":
        settings.strike("list fails for good");
        return failed();
      case "create-fails":
        settings.strike("create fails for good");
        return failed();
      default:
        return null;
    }
  };

  /** An answer that never has an effect. */
  const flaw = (): GraphAnswer | null => {
    const faultRates = settings.faultRates();
    if (rng.chance(faultRates.throttle)) return throttled();
    if (rng.chance(faultRates.quirk400)) {
      return answer(400, "InternalError", '{"_version":3,"Message":"An internal server error has occurred"}');
    }
    return null;
  };
  /** An answer after which a create may have been carried out. */
  const error = (): GraphAnswer | null => {
    const faultRates = settings.faultRates();
    if (rng.chance(faultRates.unavailable)) return unavailable(rng.pick([503, 503, 509, 423]));
    if (rng.chance(faultRates.error500)) return failed();
    if (rng.chance(faultRates.error504)) return answer(504, "GatewayTimeout", "The upstream gave no answer.");
    return null;
  };
  const refusal = (tenantId: string, operation: Operation, details: CreateRequest["details"] | null = null) =>
    troubled(tenantId) ?? defective(tenantId, operation, details) ?? flaw();

  const carryOut = (tenantId: string, request: CreateRequest, item: ItemOfCall): GraphAnswer => {
    if (settings.idMode === "refuses" && request.id !== null) {
      settings.strike("ids refused");
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
      ...settings.normalises(request.details),
      id: isHonoured ? request.id! : guid(rng),
    };
    add(tenantId, object);
    settings.onCreated(tenantId, object, item);
    return { ...answer(201, "", ""), object };
  };

  return {
    settings,
    create(tenantId, request, item) {
      const refused = refusal(tenantId, "create", request.details);
      if (refused !== null) return refused;
      const wrong = error();
      if (wrong === null) return carryOut(tenantId, request, item);
      if (!rng.chance(settings.faultRates().errorHasEffect)) {
        settings.strike("5xx without effect");
        return wrong;
      }
      const isGate = [503, 509, 423].includes(wrong.status);
      settings.strike(isGate ? "503, 509 or 423 with effect" : "5xx with effect");
      carryOut(tenantId, request, item);
      return wrong;
    },
    list(tenantId) {
      const refused = refusal(tenantId, "list") ?? error();
      if (refused !== null) return refused;
      const stored = objectsOf(tenantId);
      if (stored.length === 0 && settings.emptyListIsError) {
        return answer(404, "ResourceNotFound", "Resource not found.");
      }
      const visible = stored.filter((one) => one.visibleAtMs <= scheduler.nowMs());
      if (visible.length < stored.length) settings.strike("list lags");
      const objects = visible.map((one) => one.object);
      if (settings.defect(tenantId, "list", null) !== "list-incomplete")
        return { kind: "listed", objects, incomplete: null };
      settings.strike("list incomplete for good");
      const shown = objects.slice(0, Math.floor(objects.length / 2));
      return { kind: "listed", objects: shown, incomplete: "a page could not be followed" };
    },
    get(tenantId, id) {
      const refused = refusal(tenantId, "get") ?? error();
      if (refused !== null) return refused;
      const found = objectsOf(tenantId).find(({ object }) => object.id === id);
      if (found === undefined) return answer(404, "ResourceNotFound", "Resource not found.");
      return { ...answer(200, "", ""), object: found.object };
    },
    add,
    hold: (tenantId, object) => void objectsOf(tenantId).push({ object, visibleAtMs: 0 }),
    inventory: () =>
      new Map([...tenants].map(([tenantId, stored]) => [tenantId, stored.map((one) => one.object)])),
  };
}
