/** Runs on a host of its own: posts what its parent names, and ends as its parent says. */
import { systemClock } from "../../../src/clock.ts";
import { createRequest, openAgainst, tenantId } from "../fixtures.ts";

const { url, caFile } = JSON.parse(process.argv[2]!) as { url: string; caFile: string };
const { graph, close } = openAgainst(url, systemClock, { requestTimeoutMs: 1_000, caFile });

process.on("message", async (message: { post: string } | "close" | "exit") => {
  if (message === "exit") process.exit();
  if (message === "close") {
    await close();
    process.send!({ closed: true });
    return;
  }
  const request = createRequest();
  const details = { ...request.details, machineName: message.post };
  const [reply] = await graph.create(tenantId, [{ ...request, details }]);
  process.send!({ reply });
});
process.once("disconnect", () => process.exit());
process.send!({ ready: true });
