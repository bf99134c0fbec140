/** The emulator's own certificate authority, and a server certificate signed by it. */

import { createPrivateKey, randomBytes, X509Certificate } from "node:crypto";
import { rmSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { join } from "node:path";
import type * as Selfsigned from "selfsigned";
import { makeTemporaryDirectory } from "./temporary-directory.ts";

export interface Certificates {
  readonly caPem: string;
  /** Names the CA for NODE_EXTRA_CA_CERTS. */
  readonly caFile: string;
  readonly key: string;
  readonly cert: string;
  /** Removes the directory, if it is a temporary one. */
  remove(): Promise<void>;
}

interface Authority {
  readonly cert: string;
  readonly key: string;
}

type Generate = typeof Selfsigned.generate;

/** Loaded when it is needed. CommonJS: its named exports are found by Node, not by a bundler. */
async function certificateMaker(): Promise<Generate> {
  const { default: selfsigned } = await import("selfsigned");
  return selfsigned.generate;
}

const localHosts = ["localhost", "127.0.0.1", "::1"];
const validDays = 365;
const dayMs = 86_400_000;

/** `caDir`: keeps the CA there and uses it again; null: a temporary directory. Hosts are beside the local ones. */
export async function makeCertificates(
  caDir: string | null,
  extraHosts: readonly string[],
  wallMs: number,
): Promise<Certificates> {
  const generate = await certificateMaker();
  const dir = caDir ?? (await makeTemporaryDirectory());
  await mkdir(dir, { recursive: true });
  const removeNow = () => rmSync(dir, { recursive: true, force: true });
  // For a process that exits without closing its emulator.
  if (caDir === null) process.once("exit", removeNow);
  const kept = caDir === null ? null : await readAuthority(caDir, wallMs);
  const authority = kept ?? (await createAuthority(generate, wallMs));
  if (kept === null) {
    // A temporary CA signs nothing after this: its key is not kept.
    if (caDir !== null) await writeFile(join(dir, "ca-key.pem"), authority.key, { mode: 0o600 });
    await writeFile(join(dir, "ca.pem"), authority.cert);
  }
  const leaf = await signLeaf(generate, authority, {
    hosts: [...new Set([...localHosts, ...extraHosts])],
    wallMs,
  });
  return {
    caPem: authority.cert,
    caFile: join(dir, "ca.pem"),
    key: leaf.private,
    // The leaf alone: a client that trusts the CA has it already.
    cert: leaf.cert,
    remove: async () => {
      if (caDir !== null) return;
      process.off("exit", removeNow);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Null: none there, or one that is about to expire. */
async function readAuthority(dir: string, wallMs: number): Promise<Authority | null> {
  try {
    const [cert, key] = await Promise.all([
      readFile(join(dir, "ca.pem"), "utf8"),
      readFile(join(dir, "ca-key.pem"), "utf8"),
    ]);
    if (new X509Certificate(cert).validToDate.getTime() <= wallMs + dayMs) return null;
    // A CA that something else made may be in another form than what signs here takes.
    return { cert, key: createPrivateKey(key).export({ type: "pkcs8", format: "pem" }).toString() };
  } catch {
    return null;
  }
}

async function createAuthority(generate: Generate, wallMs: number): Promise<Authority> {
  // A name of its own: verifiers look issuers up by name, and may hold the CA of another emulator too.
  const name = `Graph emulator CA ${randomBytes(4).toString("hex")}`;
  const made = await generate([{ name: "commonName", value: name }], {
    ...common(wallMs),
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  return { cert: made.cert, key: made.private };
}

function signLeaf(
  generate: Generate,
  authority: Authority,
  { hosts, wallMs }: { readonly hosts: readonly string[]; readonly wallMs: number },
) {
  const altNames = hosts.map((host) =>
    isIP(host) === 0 ? { type: 2 as const, value: host } : { type: 7 as const, ip: host },
  );
  return generate([{ name: "commonName", value: "Graph emulator" }], {
    ...common(wallMs),
    ca: authority,
    extensions: [
      { name: "basicConstraints", cA: false, critical: true },
      { name: "keyUsage", digitalSignature: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      { name: "subjectAltName", altNames },
    ],
  });
}

function common(wallMs: number) {
  return {
    algorithm: "sha256",
    keyType: "ec" as const,
    // An hour back, for clients whose clock is a little behind.
    notBeforeDate: new Date(wallMs - 3_600_000),
    notAfterDate: new Date(wallMs + validDays * dayMs),
  };
}
