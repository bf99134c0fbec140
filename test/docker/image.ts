/** Builds the images of the working tree, through testcontainers. */

import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { docker, root } from "./engine.ts";

export type Target = "product" | "emulator";

/** The image's name; built once for each content of the tree, so that test files that run at the same time share it. */
export async function buildImage(target: Target): Promise<string> {
  const name = `connector-registrar-test-${target}:${await contentHash()}`;
  if ((await docker(["image", "inspect", name])).code === 0) return name;
  // No container is started here, so Ryuk, whose image may not be available, is not needed.
  process.env.TESTCONTAINERS_RYUK_DISABLED ??= "true";
  const { GenericContainer } = await import("testcontainers");
  try {
    await GenericContainer.fromDockerfile(root).withTarget(target).build(name, { deleteOnExit: false });
  } catch (error) {
    throw new Error(`${String(error)}\n${await whyNot(target)}`);
  }
  return name;
}

/** testcontainers doesn't say; what was built before the failing step is in the engine's cache. */
async function whyNot(target: Target): Promise<string> {
  const classic = { environment: { DOCKER_BUILDKIT: "0" }, timeoutMs: 300_000 };
  const { stdout, stderr } = await docker(["build", "-q", "--target", target, "."], classic);
  return `${stdout}${stderr}`.slice(-3000);
}

async function contentHash(): Promise<string> {
  const hash = createHash("sha256");
  const files = ["Dockerfile", ".dockerignore", "package.json", "package-lock.json", "tsconfig.json"];
  files.push("docker/init.sh", "scripts/build.ts", "scripts/build/packages.ts");
  for (const room of ["src", "emulator", "demo"]) {
    const sources = await readdir(join(root, room), { recursive: true, withFileTypes: true });
    for (const entry of sources)
      if (entry.isFile()) files.push(join(entry.parentPath, entry.name).slice(root.length + 1));
  }
  for (const file of files.sort()) hash.update(`${file}\0`).update(await readFile(join(root, file)));
  return hash.digest("hex").slice(0, 16);
}
