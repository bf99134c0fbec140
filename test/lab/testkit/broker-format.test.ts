/** A broker's data directory, set up without Kafka's own tool from what that wrote before. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { formatStorage, newClusterId } from "../../../lab/testkit/broker-format.ts";
import { temporaryDirectory } from "../../cli/run-cli.ts";

const written = "#\n#Fri Nov 27 09:00:00 UTC 2026\nnode.id=1\ndirectory.id=xyz\nversion=1\ncluster.id=AAAA\n";
/** As 3.6 writes them. */
const older = written.replace("directory.id=xyz\n", "");

test("each broker gets ids of its own, and else what the tool wrote", async (t) => {
  const jars = temporaryDirectory(t);
  mkdirSync(join(jars, "format"));
  writeFileSync(join(jars, "format", "bootstrap.checkpoint"), "records");
  const format = async (node: number, clusterId: string) => {
    const directory = temporaryDirectory(t);
    const properties = join(directory, "server.properties");
    writeFileSync(properties, `node.id=${node}\nlog.dirs=${join(directory, "data")}\n`);
    await formatStorage(jars, { clusterId, propertiesFile: properties });
    assert.equal(readFileSync(join(directory, "data", "bootstrap.checkpoint"), "utf8"), "records");
    return readFileSync(join(directory, "data", "meta.properties"), "utf8");
  };
  writeFileSync(join(jars, "format", "meta.properties"), written);
  const clusterId = newClusterId();
  const brokers = [await format(1, clusterId), await format(2, clusterId)];
  const ids = brokers.map((text) => /^directory\.id=([\w-]{22})$/m.exec(text)?.[1]);
  assert.equal(new Set(ids).size, 2);
  assert.deepEqual(
    brokers.map((text, index) => text.replace(ids[index]!, "xyz")),
    ["1", "2"].map((node) => written.replace("=1\nd", `=${node}\nd`).replace("AAAA", clusterId)),
  );
  writeFileSync(join(jars, "format", "meta.properties"), older);
  assert.equal(await format(1, clusterId), older.replace("AAAA", clusterId));
});
