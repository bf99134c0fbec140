/** An emulator and a Graph adapter on it, with a credential of any kind: the real @azure/identity in between. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { emulatorCredential } from "../../../emulator/credential.ts";
import { type EmulatorSettings, startEmulator } from "../../../emulator/server.ts";
import { systemClock } from "../../../src/clock.ts";
import type { Credential } from "../../../src/graph/credentials/credential.ts";
import type { CertificateNote } from "../../../src/graph/credentials/files.ts";
import { openGraph } from "../../../src/graph/graph-client.ts";
import { requestTimeoutMs } from "../fixtures.ts";

export const { clientId, clientSecret, tenantId: homeTenant, identity, identityHeader } = emulatorCredential;
export const otherTenant = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";

export async function emulatorFor(t: TestContext, settings: Partial<EmulatorSettings> = {}) {
  const emulator = await startEmulator({
    clientId,
    clientSecret,
    allowedTenants: [homeTenant, otherTenant],
    httpPort: 0,
    ...settings,
  });
  t.after(emulator.close);
  return emulator;
}

type Emulator = Awaited<ReturnType<typeof emulatorFor>>;

/** Closed when the test ends. `notes`: what is said of certificates. */
export function graphWith(t: TestContext, emulator: Emulator, credential: Credential) {
  const notes: CertificateNote[] = [];
  const opened = openGraph(
    {
      cloud: "global",
      baseUrl: emulator.httpsUrl,
      authorityHost: emulator.authorityHost,
      clientId,
      credential,
      requestTimeoutMs,
      maxConnections: 4,
      caFile: emulator.caFile,
      onCertificate: (note) => void notes.push(note),
    },
    systemClock,
  );
  t.after(opened.close);
  /** What a list of the tenant comes to: "listed", or why not. */
  const ask = async (tenantId: string) => {
    const reply = await opened.graph.list(tenantId);
    if (reply.kind === "listed") return "listed";
    return reply.kind === "silence" ? `${reply.reason}: ${reply.detail}` : String(reply.status);
  };
  return { ...opened, ask, notes };
}

export function directoryFor(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "credential-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** The emulator's endpoints of a machine; `restore` when the test ends. MSAL reads these variables for the whole process. */
export function machineVariables(t: TestContext, variables: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(variables)) {
    const before = process.env[name];
    process.env[name] = value;
    t.after(() => {
      if (before === undefined) delete process.env[name];
      else process.env[name] = before;
    });
  }
}
