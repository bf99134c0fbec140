/** Signing in and out. A token goes into a form once, and from there on a cookie stands for it that no script can read. */
import type { App } from "../app-type.ts";
import { formOf } from "./form.ts";
import { signInPage } from "./pages/sign-in.ts";
import type { ConsoleRoutes } from "./route-parts.ts";

export function signInRoutes(scope: App, { context, gate, show }: ConsoleRoutes): void {
  const { takesTokens } = gate;

  scope.get("/sign-in", (request, reply) => {
    const to = ownPath(new URL(request.url, "http://here").searchParams.get("to"));
    if (gate.operatorOf(request) !== null) return reply.redirect(to, 303);
    return show(request, reply, signInPage({ to, why: null, takesTokens }));
  });

  scope.post("/sign-in", (request, reply) => {
    const form = formOf(request);
    const to = ownPath(form.get("to"));
    const result = gate.signIn(form.get("token") ?? "");
    if (result.ok) return reply.header("set-cookie", result.cookie).redirect(to, 303);
    context.metrics.unauthorised("console-token");
    return show(request, reply.code(401), signInPage({ to, why: result.why, takesTokens }));
  });

  scope.post("/sign-out", (request, reply) =>
    reply.header("set-cookie", gate.signOut(request)).redirect("/console/sign-in", 303),
  );
}

/** Nothing but a page of the console: an address of another site would lead there. */
function ownPath(path: string | null): string {
  return path !== null && /^\/console(?:[/?][\x21-\x7e]*)?$/.test(path) && !path.includes("\\")
    ? path
    : "/console";
}
