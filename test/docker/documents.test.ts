/**
 * The containers of README.md and docs/COMPOSE.md: each command as it is printed, in that order, on a terminal of 80
 * columns. Only names and ports are others, so that the stack stands beside one of the same machine.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { freePort } from "../../lab/testkit/broker-port.ts";
import { commandLines, type TestedBlock, testedBlocks } from "../support/doc-commands.ts";
import { checkBlock, type Place, readersEnvironment, terminalShell } from "../support/doc-script.ts";
import { baseImage, findEngine, kafkaImage, root, skipWithout } from "./engine.ts";
import { buildImage } from "./image.ts";
import { guard, remains, sweepNow } from "./stack.ts";

const read = (path: string) => testedBlocks(path, readFileSync(join(root, path), "utf8"), "compose");
const readme = read("README.md");
const page = read("docs/COMPOSE.md");
const skip = skipWithout(await findEngine([baseImage, kafkaImage]));
const observability = page.filter(({ run }) => run.needs.includes("grafana"));
/** A machine that runs other tests too is slower than a reader's. */
const patience = 4;
const composeText = readFileSync(join(root, "docker-compose.yml"), "utf8");
const observed = [...composeText.matchAll(/image: ((?:prom|grafana)\/\S+)/g)].map((match) => match[1]!);

test("what README.md shows of compose is what docs/COMPOSE.md shows, in the same order", () => {
  const lines = page.flatMap(commandLines);
  const places = readme.flatMap(commandLines).map((line) => lines.indexOf(line));
  assert.ok(places.length >= 4 && !places.includes(-1), `of docs/COMPOSE.md: ${places}`);
  assert.deepEqual(
    places,
    places.toSorted((a, b) => a - b),
  );
});

suite("docs/COMPOSE.md, command by command", { skip, timeout: 1_800_000 }, () => {
  const project = `registrar-docs-${process.pid}`;
  const cwd = mkdtempSync(join(tmpdir(), "connector-registrar-docs-"));
  let dismiss: () => void;
  let place: Place;
  let ports: Ports;
  let isBroken = false;

  before(
    async () => {
      ports = await freePorts();
      dismiss = guard(project);
      const env = {
        ...readersEnvironment(),
        COMPOSE_PROJECT_NAME: project,
        COMPOSE_FILE: `${join(root, "docker-compose.yml")}:${join(root, "test/docker/documents.compose.yml")}`,
        // A developer's own .env must not change the stack.
        COMPOSE_ENV_FILES: "/dev/null",
        REGISTRAR_IMAGE: await buildImage("product"),
        EMULATOR_IMAGE: await buildImage("emulator"),
        KAFKA_PORT: String(ports.kafka),
        EMULATOR_PORT: String(ports.emulator),
        SERVE_PORT: String(ports.serve),
        EMULATOR_THROTTLE: "150",
        REGISTRAR_PORTS: `${ports.registrar}-${ports.registrar + 1}`,
        SHELL: "/bin/bash",
        // Progress as lines, readable in a failure.
        COMPOSE_ANSI: "never",
      };
      place = { cwd, env, shell: terminalShell };
    },
    { timeout: 600_000 },
  );

  after(
    async () => {
      await sweepNow(project);
      dismiss();
      rmSync(cwd, { recursive: true, force: true });
    },
    { timeout: 120_000 },
  );

  for (const block of page) {
    test(block.script.split("\n").at(-1)!, { timeout: patience * block.run.timeoutMs + 5_000 }, async (t) => {
      if (observability.includes(block)) {
        // Not a matter of REQUIRE_DOCKER: offline there is a stand-in for Prometheus, and none for Grafana.
        if (!(await findEngine(observed)).ok) return t.skip("the images of this profile are not available");
      }
      if (isBroken) return t.skip("a command before it failed");
      isBroken = true;
      await (await checkBlock(asInstalled(block), place))?.stop();
      isBroken = false;
    });
  }

  test("nothing is left of it", async () => {
    assert.deepEqual(await remains(project), []);
  });

  function asInstalled(block: TestedBlock): TestedBlock {
    const script = block.script
      .replaceAll("connector-registrar-registrar-1", `${project}-registrar-1`)
      .replaceAll("localhost:8088", `localhost:${ports.emulator}`)
      .replaceAll("localhost:8090", `localhost:${ports.serve}`)
      .replaceAll("localhost:8080", `localhost:${ports.registrar}`);
    const run = { ...block.run, timeoutMs: patience * block.run.timeoutMs };
    return { ...block, run, script: `stty cols 80 rows 24; set -e\n${script}` };
  }
});

interface Ports {
  readonly kafka: number;
  readonly emulator: number;
  readonly serve: number;
  /** Of two, one after the other. */
  readonly registrar: number;
}

async function freePorts(): Promise<Ports> {
  const [kafka, emulator, serve] = [await freePort(), await freePort(), await freePort()];
  for (;;) {
    const registrar = await freePort();
    if (await isFree(registrar + 1)) return { kafka, emulator, serve, registrar };
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
      .once("error", () => resolve(false))
      .listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
