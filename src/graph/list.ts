/**
 * The tenant's objects, page after page. What was read counts also where more can't be: a page that never comes must not
 * hide the others.
 */
import type { GraphAnswer, GraphObject, GraphSilence, ListReply } from "../graph-port.ts";
import { readPage, readRawAnswer } from "./answer.ts";
import { collectionPath } from "./batch.ts";
import { type Outcome, type RawAnswer, silence } from "./exchange.ts";
import type { Send } from "./send.ts";

const pageTriesMax = 3;
export const maxListPages = 1_000;

/**
 * A later page may be asked for again: of many pages one fails often, and all would have to be read once more. The first
 * one is not: the caller is to learn soon that Graph does not answer.
 */
async function getPage(send: Send, tenantId: string, url: URL | null): Promise<Outcome> {
  const triesMax = url === null ? 1 : pageTriesMax;
  for (let tries = 1; ; tries++) {
    const outcome = await send({ tenantId, method: "get", path: collectionPath, url });
    const isPassing =
      outcome.kind === "silence"
        ? outcome.sent
        : outcome.status >= 500 && !("retry-after" in outcome.headers);
    if (!isPassing || tries === triesMax) return outcome;
  }
}

export async function list(send: Send, tenantId: string, origin: string): Promise<ListReply> {
  // By id: a page that comes twice, or an object that moved to another page meanwhile, must not look like two objects.
  const objects = new Map<string, GraphObject>();
  const followed = new Set<string>();
  let unreadable = 0;
  const listed = (why: string | null): ListReply => {
    const holes = unreadable === 0 ? null : `${unreadable} items are unreadable`;
    const reasons = [holes, why].filter((reason) => reason !== null);
    return {
      kind: "listed",
      objects: [...objects.values()],
      incomplete: reasons.length === 0 ? null : reasons.join("; "),
    };
  };
  let url: URL | null = null;
  for (let page = 1; page <= maxListPages; page++) {
    const outcome: Outcome = await getPage(send, tenantId, url);
    if (outcome.kind === "silence") return outcome;
    const content = outcome.status === 200 ? readPage(outcome.body) : null;
    if (content === null) {
      const failure = failureOf(outcome, page);
      return page > 1 && isForGood(failure) ? listed(`page ${page} is ${describe(failure)}`) : failure;
    }
    for (const object of content.objects) objects.set(object.id, object);
    unreadable += content.unreadable;
    if (content.nextLink === null) return listed(null);
    const next = nextOf(content.nextLink, url?.href ?? `${origin}/beta${collectionPath}`, origin);
    if (typeof next === "string") return listed(next);
    if (followed.has(next.href)) return listed("the list's pages form a circle");
    followed.add(next.href);
    url = next;
  }
  return listed(`the list has more than ${maxListPages} pages`);
}

/** Where the next page is, or why it can't be followed. */
function nextOf(link: unknown, base: string, origin: string): URL | string {
  if (typeof link !== "string" || link.trim() === "") return "the link to the list's next page is empty";
  const next = URL.parse(link, base);
  if (next?.origin === origin) return next;
  const detail = `the list's next page is at ${next?.origin ?? "no valid URL"}, not at ${origin}: not followed`;
  return `${detail}; check GRAPH_BASE_URL and GRAPH_CLOUD`;
}

function failureOf(outcome: RawAnswer, page: number): GraphAnswer | GraphSilence {
  const reply = readRawAnswer(outcome);
  const isPageless = reply.kind === "answer" && outcome.status >= 200 && outcome.status < 300;
  return isPageless
    ? silence("malformed", { sent: true, detail: `page ${page} of the list is unreadable` })
    : reply;
}

/** Not what waiting, a permission or a licence changes: the caller is to know of those. */
function isForGood(failure: GraphAnswer | GraphSilence): boolean {
  if (failure.kind === "silence") return failure.reason === "malformed";
  return ![401, 402, 403, 429].includes(failure.status) && failure.retryAfter === null;
}

function describe(failure: GraphAnswer | GraphSilence): string {
  if (failure.kind === "silence") return `unreadable: ${failure.detail}`;
  return `answered ${[failure.status, failure.errorCode].join(" ").trim()}`;
}
