/** /openapi.json: what there is to ask, from the schemas by which it is checked. */
import type { App } from "../app-type.ts";

export function openapiRoutes(app: App): void {
  const schema = { hide: true };
  app.get("/openapi.json", { schema, config: { open: true } }, async () => app.swagger());
}
