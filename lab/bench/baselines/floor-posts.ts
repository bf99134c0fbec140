/**
 * Bare undici: POSTs of prepared bodies, nothing else. Waits for "go" on standard input, then prints one line of JSON:
 * {events, seconds, p50Ms, p99Ms}, the latter of one request.
 */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Pool } from "undici";
import { percentile } from "../numbers.ts";
import { enrollment } from "../workload.ts";

const env = process.env as Record<string, string>;
const events = Number(env.EVENTS);
const batch = Number(env.BATCH);
const inFlight = Number(env.IN_FLIGHT);
/** 0: as fast as answers come. */
const perSecond = Number(env.PER_SECOND);

const pool = new Pool(new URL(env.GRAPH_URL!).origin, {
  connections: inFlight,
  connect: { ca: readFileSync(env.CA_FILE!) },
});
const url = "/deviceManagement/certificateConnectorDetails";
const headers = { authorization: `Bearer ${env.TOKEN}`, "content-type": "application/json" };
const details = Array.from({ length: events }, (_, i) => JSON.parse(enrollment(env.TENANT!, i).value).data);
const bodies =
  batch === 1
    ? details.map((body) => JSON.stringify(body))
    : Array.from({ length: Math.ceil(events / batch) }, (_, at) => {
        const requests = details.slice(at * batch, (at + 1) * batch).map((body, id) => ({
          id: String(id),
          method: "POST",
          url,
          headers: { "Content-Type": "application/json" },
          body,
        }));
        return JSON.stringify({ requests });
      });
const path = `/beta${batch === 1 ? url : "/$batch"}`;

createInterface({ input: process.stdin }).once("line", () => void run());
console.log("ready");

async function run(): Promise<void> {
  const startedMs = performance.now();
  const durations: number[] = [];
  let next = 0;
  const post = async (body: string) => {
    const sentMs = performance.now();
    const answer = await pool.request({ path, method: "POST", headers, body });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${answer.statusCode}: ${text.slice(0, 200)}`);
    durations.push(performance.now() - sentMs);
  };
  if (perSecond > 0) {
    const posts: Promise<void>[] = [];
    for (const body of bodies) {
      posts.push(post(body));
      await new Promise((resolve) => setTimeout(resolve, 1000 / perSecond));
    }
    await Promise.all(posts);
  } else {
    const loop = async () => {
      while (next < bodies.length) await post(bodies[next++]!);
    };
    await Promise.all(Array.from({ length: inFlight }, loop));
  }
  const seconds = (performance.now() - startedMs) / 1000;
  const [p50Ms, p99Ms] = [percentile(durations, 0.5), percentile(durations, 0.99)];
  console.log(JSON.stringify({ events, seconds, p50Ms, p99Ms }));
}
