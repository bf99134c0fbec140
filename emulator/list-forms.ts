/** Lists that fail in part, as they come from a server or gateway with a fault of its own. */

import { type Call, okReply, type Reply } from "./reply.ts";
import { collection } from "./request.ts";
import type { ListForm } from "./settings.ts";

type Body = Readonly<Record<string, unknown>> & { readonly value: readonly object[] };

/** A page of a list, with the fault that the form names, unless it is empty. */
export function brokenPage(reply: Reply, call: Call, form: ListForm): Reply {
  const body = reply.body as Body;
  if (body.value.length === 0) return reply;
  const withLink = (link: string) => ({ ...reply, body: { ...body, "@odata.nextLink": link } });
  switch (form) {
    case "circle":
      return withLink(`${call.linkBase}/${collection}`);
    case "elsewhere":
      return withLink(`https://elsewhere.example/beta/${collection}?$skiptoken=1`);
    case "empty-link":
      return withLink("");
    case "hole":
      return {
        ...reply,
        body: { ...body, value: body.value.with(-1, { ...body.value.at(-1), id: undefined }) },
      };
    case "no-object":
      return { ...reply, body: { ...body, value: [...body.value.slice(0, -1), 7] } };
    default:
      return reply;
  }
}

export function endlessPage(call: Call, skipToken: string | null): Reply {
  const next = `${call.linkBase}/${collection}?$skiptoken=${Number(skipToken ?? 0) + 1}`;
  return okReply(200, { "@odata.nextLink": next, value: [] });
}
