/** A collector that takes all it is sent and keeps nothing, for the cost of traces: `node lab/bench/otlp-sink.ts [PORT]`. */
import { createServer } from "node:http";

const port = Number(process.argv[2] ?? 4318);
let requests = 0;
let bytes = 0;
createServer((request, response) => {
  requests++;
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
  });
  request.on("end", () => response.writeHead(200).end());
}).listen(port, "127.0.0.1", () => process.stdout.write(`taking traces at http://127.0.0.1:${port}\n`));
process.on("SIGTERM", () => {
  process.stdout.write(`${requests} requests, ${bytes} bytes\n`);
  process.exit();
});
