import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeCertificates } from "../../emulator/tls.ts";
import { caFileProblem } from "../../src/graph/ca-file.ts";
import { temporaryDirectory } from "../cli/run-cli.ts";

test("a file can serve as CA file when it holds certificates, all of which can be read", async (t) => {
  const directory = temporaryDirectory(t);
  const { caFile, remove } = await makeCertificates(null, ["graph.example"], Date.now());
  t.after(remove);
  const [text, broken] = [join(directory, "text.pem"), join(directory, "broken.pem")];
  writeFileSync(text, "not a certificate\n");
  writeFileSync(broken, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  for (const [path, problem] of [
    [caFile, null],
    [join(directory, "none.pem"), "can't be read (ENOENT)"],
    [directory, "can't be read (EISDIR)"],
    [text, "holds no certificate in PEM form"],
    [broken, "holds a certificate that can't be read"],
  ] as const) {
    assert.equal(caFileProblem(path), problem);
  }
});
