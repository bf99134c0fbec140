/** Requests as the emulated Graph sees them, and which operation each is. */

/** Paths are without the version, such as `/deviceManagement/...`. */
export interface GraphRequest {
  /** Upper case. */
  readonly method: string;
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  readonly contentType: string | null;
  /** A JSON value; undefined where there is none. */
  readonly body: unknown;
}

export type Operation = "list" | "get" | "create" | "update" | "delete" | "health" | "batch" | "other";

/** Of `$metadata` links and Location; requests may write it in any case. */
export const collection = "deviceManagement/certificateConnectorDetails";

const collectionPath = `/${collection}`;
/** `/{id}` or `('{id}')`, and perhaps an action. */
const entityPath = new RegExp(
  `^${collectionPath}(?:/([^/()]+)|\\('([^']+)'\\))(/(?:microsoft\\.graph\\.)?getHealthMetric(?:s|TimeSeries))?$`,
  "i",
);

/** "other" is none that Graph has here. */
export function operationOf({ method, path }: Pick<GraphRequest, "method" | "path">): Operation {
  if (path === collectionPath || path.toLowerCase() === collectionPath.toLowerCase()) {
    return method === "GET" ? "list" : method === "POST" ? "create" : "other";
  }
  if (path === "/$batch") return method === "POST" ? "batch" : "other";
  const parts = entityPath.exec(path);
  if (parts === null) return "other";
  if (parts[3] !== undefined) return method === "POST" ? "health" : "other";
  return method === "GET" ? "get" : method === "PATCH" ? "update" : method === "DELETE" ? "delete" : "other";
}

/** "" where the path names no object. */
export function entityIdOf(path: string): string {
  const parts = entityPath.exec(path);
  const written = parts?.[1] ?? parts?.[2] ?? "";
  try {
    return decodeURIComponent(written);
  } catch {
    return written;
  }
}

export function isJson(contentType: string): boolean {
  return contentType === "application/json" || /^application\/json\s*(?:;|$)/i.test(contentType);
}
