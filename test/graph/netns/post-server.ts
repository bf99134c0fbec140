/** Runs on a host of its own: a Graph that tells its parent of every POST that reached it. */
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { makeCertificates } from "../../../emulator/tls.ts";

const { address, secure } = JSON.parse(process.argv[2]!) as { address: string; secure: boolean };

const answer: RequestListener = (request, response) => {
  let text = "";
  request.setEncoding("utf8");
  request.on("data", (chunk) => {
    text += chunk;
  });
  request.on("end", () => {
    const object = JSON.parse(text);
    process.send!({ arrived: object.machineName });
    if (object.machineName === "unanswered") return;
    response
      .writeHead(201, { "content-type": "application/json" })
      .end(JSON.stringify({ ...object, id: "an-id" }));
  });
};
const certificates = await makeCertificates(null, [address], Date.now());
const server = secure
  ? createHttpsServer({ key: certificates.key, cert: certificates.cert }, answer)
  : createHttpServer(answer);
server.keepAliveTimeout = 120_000;
server.listen(0, address, () => {
  const { port } = server.address() as { port: number };
  process.send!({ url: `${secure ? "https" : "http"}://${address}:${port}`, caFile: certificates.caFile });
});
process.once("disconnect", () => process.exit());
