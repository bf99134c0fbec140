import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, suite, test } from "node:test";
import { emulatorCredential } from "../../emulator/credential.ts";
import { baseImage, docker, dockerText, findEngine, root, skipWithout } from "./engine.ts";
import { buildImage } from "./image.ts";

const layersMaxBytes = 20_000_000;
const skip = skipWithout(await findEngine([baseImage]));

interface Inspected {
  readonly Size: number;
  readonly Config: {
    readonly User: string;
    readonly Env: string[];
    readonly Labels: Record<string, string>;
    readonly Volumes: Record<string, object>;
    readonly Healthcheck: { readonly Test: string[] };
  };
}

suite("the image", { skip, timeout: 900_000 }, () => {
  let image = "";
  let inspected: Inspected;
  const inspect = async (name: string): Promise<Inspected> =>
    JSON.parse(await dockerText(["image", "inspect", name]))[0];
  const sh = (script: string) => dockerText(["run", "--rm", "--entrypoint", "sh", image, "-c", script]);

  before(
    async () => {
      image = await buildImage("product");
      inspected = await inspect(image);
    },
    { timeout: 900_000 },
  );

  test("its own layers take at most 20 MB", async () => {
    const added = inspected.Size - (await inspect(baseImage)).Size;
    assert.ok(added > 1_000_000 && added <= layersMaxBytes, `${added} bytes`);
  });

  test("it runs as a user that is not root, and has one volume", async () => {
    assert.equal(inspected.Config.User, "1000:1000");
    assert.deepEqual(Object.keys(inspected.Config.Volumes), ["/data"]);
    assert.equal(await sh("id -u; touch /data/x && echo writable"), "1000\nwritable");
  });

  test("its labels say what it is, in the package's version", () => {
    const { version, description } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const labels = inspected.Config.Labels;
    assert.equal(labels["org.opencontainers.image.version"], version);
    assert.equal(labels["org.opencontainers.image.description"], description);
    assert.equal(labels["org.opencontainers.image.licenses"], "MIT");
  });

  test("it holds the product's bundle, with the licences of what is in it, and nothing else", async () => {
    assert.equal(await sh("ls /app | sort | tr '\\n' ' '"), "LICENSE dist init.sh package.json");
    assert.equal(await sh("ls /app/dist | tr '\\n' ' '"), "THIRD_PARTY_LICENCES sbom.cdx.json src");
    assert.equal(await sh("find /app/dist/src -type f ! -name '*.js' | wc -l"), "0");
    const licences = await sh("cat /app/dist/THIRD_PARTY_LICENCES");
    for (const name of ["kafkajs", "@azure/identity", "@microsoft/microsoft-graph-client", "typebox", "pino"])
      assert.match(licences, new RegExp(`^${name} \\d`, "m"));
    for (const name of ["selfsigned", "testcontainers", "esbuild"])
      assert.doesNotMatch(licences, new RegExp(`^${name} \\d`, "m"));
  });

  test("no secret is in its environment, its history or its files", async () => {
    assert.ok(!inspected.Config.Env.some((entry) => /secret|token|password|AZURE_/i.test(entry)));
    const history = await dockerText(["image", "history", "--no-trunc", "--format", "{{.CreatedBy}}", image]);
    assert.doesNotMatch(history, /secret|password|token/i);
    assert.equal(await sh("find / -xdev \\( -name '.env*' -o -name '.npmrc' \\) -path '/app*' | wc -l"), "0");
  });

  test("the image runs every command of the product", { timeout: 180_000 }, async () => {
    const help = await dockerText(["run", "--rm", image, "--help"]);
    const commands = [...help.matchAll(/^ {2}([a-z][a-z-]*) {2,}/gm)].map((match) => match[1]!);
    assert.ok(commands.length >= 7, `--help lists commands: ${commands}`);
    const script = `for name in ${commands.join(" ")}; do connector-registrar $name --help >/dev/null && echo $name; done`;
    assert.deepEqual((await sh(script)).split("\n"), commands);
  });

  test("doctor without settings names all that is missing, and ends with 2", async () => {
    const { code, stderr } = await docker(["run", "--rm", image, "doctor"]);
    assert.equal(code, 2);
    for (const name of ["AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID"])
      assert.match(stderr, new RegExp(`type: export ${name}=`));
  });

  test("on a read-only root file system without any capability it registers what the emulator's image takes", {
    timeout: 240_000,
  }, async () => {
    const confined = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--memory=512m"];
    const graph = ["run", "-d", "--network=none", "-v", "/data", ...confined, "--health-interval=1s"];
    const emulator = await dockerText([...graph, await buildImage("emulator")]);
    const settings = {
      AZURE_AUTHORITY_HOST: "https://localhost:8443",
      GRAPH_BASE_URL: "https://localhost:8443",
      GRAPH_CA_FILE: "/data/ca/ca.pem",
      AZURE_TENANT_ID: emulatorCredential.tenantId,
      AZURE_CLIENT_ID: emulatorCredential.clientId,
      AZURE_CLIENT_SECRET: emulatorCredential.clientSecret,
      // Beside the emulator, which has 8080.
      HTTP_PORT: "8081",
    };
    const environment = Object.entries(settings).flatMap(([name, value]) => ["-e", `${name}=${value}`]);
    const beside = [`--network=container:${emulator}`, `--volumes-from=${emulator}`];
    let worker = "";
    try {
      const healthy = `until [ "$(docker inspect -f '{{.State.Health.Status}}' ${emulator})" = healthy ]; do sleep 0.2; done`;
      execFileSync("sh", ["-c", healthy], { timeout: 60_000 });
      worker = await dockerText(["run", "-d", ...beside, ...confined, ...environment, image]);
      await dockerText(["exec", worker, "connector-registrar", "emit", "--count", "5", "--quiet"]);
      const tail = [
        "exec",
        worker,
        "connector-registrar",
        "tail",
        "registered",
        "--from",
        "start",
        "--limit",
        "5",
      ];
      const lines = await dockerText(tail, { timeoutMs: 120_000 });
      assert.equal(lines.split("\n").length, 5, lines);
    } finally {
      await docker(["rm", "-f", "-v", ...(worker === "" ? [] : [worker]), emulator]);
    }
  });

  test("SIGTERM ends the worker in good order", { timeout: 120_000 }, async () => {
    const settings = ["AZURE_TENANT_ID=5f0c1d2e-3a4b-4c5d-8e6f-708192a3b4c5", "AZURE_CLIENT_SECRET=unused"];
    settings.push("AZURE_CLIENT_ID=0a1b2c3d-4e5f-4061-8273-8495a6b7c8d9");
    const environment = settings.flatMap((setting) => ["-e", setting]);
    const id = await dockerText(["run", "-d", "--read-only", "--health-interval=1s", ...environment, image]);
    try {
      const health = "until connector-registrar health; do sleep 0.2; done";
      await dockerText(["exec", id, "timeout", "60", "sh", "-c", health]);
      await dockerText(["stop", "-t", "30", id]);
      assert.equal(await dockerText(["inspect", "--format", "{{.State.ExitCode}}", id]), "0");
      assert.match((await docker(["logs", id])).stdout, /"msg":"stopped"/);
    } finally {
      await docker(["rm", "-f", "-v", id]);
    }
  });
});

suite("the emulator's image", { skip, timeout: 900_000 }, () => {
  let image = "";

  before(
    async () => {
      image = await buildImage("emulator");
    },
    { timeout: 900_000 },
  );

  test("it holds the emulator and what that needs, and nothing of the product", async () => {
    const list = "ls /app/dist; grep -cE '^(selfsigned|typebox) [0-9]' /app/dist/THIRD_PARTY_LICENCES";
    const found = await dockerText(["run", "--rm", "--entrypoint", "sh", image, "-c", list]);
    assert.equal(found, "THIRD_PARTY_LICENCES\nemulator\nsbom.cdx.json\n2");
  });

  test("it takes the emulator's options", async () => {
    assert.match(await dockerText(["run", "--rm", image, "--help"]), /--list-lag <ms>/);
  });
});
