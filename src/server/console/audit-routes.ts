/** The way to an export: the form, the export, its two files. */
import type { App } from "../app-type.ts";
import { createTyped } from "./fields.ts";
import { formOf } from "./form.ts";
import { auditFormPage, auditPage, auditPath, exportPage } from "./pages/audit.ts";
import type { ConsoleRoutes } from "./route-parts.ts";

export function auditRoutes(scope: App, { context, exports, show, fail }: ConsoleRoutes): void {
  const { clock, index } = context;
  const idOf = (params: unknown) => (params as { id: string }).id;

  scope.get("/audit", (request, reply) =>
    show(request, reply, auditPage(new URL(request.url, "http://here").searchParams)),
  );

  scope.post("/audit", (request, reply) => {
    const typed = createTyped(formOf(request));
    const tenant = typed.tenant("tenant");
    const nowMs = clock.wallMs();
    const filter = {
      tenantIds: tenant === null ? null : [tenant],
      sinceMs: typed.timeMs("since", nowMs),
      untilMs: typed.timeMs("until", nowMs),
    };
    if (typed.errors.size > 0) return show(request, reply.code(400), auditFormPage(typed));
    // Without all that is in the topics it would be wrong, and nothing in it would say so.
    if (index()?.progress().caughtUp !== true) return fail(request, reply, behind);
    const format = typed.text("format") === "jsonl" ? "jsonl" : "csv";
    const begun = exports.begin(filter, format, request.principal!.name);
    return begun === null ? fail(request, reply, busy) : reply.redirect(`${auditPath}/${begun.id}`, 303);
  });

  scope.get("/audit/:id", (request, reply) => {
    const found = exports.find(idOf(request.params));
    return found === null ? fail(request, reply, unknown) : show(request, reply, exportPage(found));
  });

  for (const what of ["file", "manifest"] as const) {
    scope.get(`/audit/:id/${what}`, async (request, reply) => {
      const id = idOf(request.params);
      const found = exports.find(id);
      const opened = await exports.read(id, what);
      if (found === null || opened === null) return fail(request, reply, unknown);
      const name = what === "file" ? found.name : `${found.name}.manifest.json`;
      reply.header("content-disposition", `attachment; filename="${name}"`);
      reply.header("content-length", opened.bytes);
      return reply.type(typeOf(name)).send(opened.stream);
    });
  }
}

function typeOf(name: string): string {
  if (name.endsWith(".csv")) return "text/csv; charset=utf-8; header=present";
  return name.endsWith(".jsonl") ? "application/jsonl" : "application/json";
}

// biome-ignore format: reads as a table
const behind = { status: 503, title: "Not yet", text: "The index has not read all that is in the topics, so an export would be incomplete. Try again once it has." };
// biome-ignore format: reads as a table
const busy = { status: 409, title: "Another export is being made", text: "One export at a time. Wait until it is there, then try again." };
// biome-ignore format: reads as a table
const unknown = { status: 404, title: "Not found", text: "There is no such export, or no longer: they are kept for some minutes. Make it again." };
