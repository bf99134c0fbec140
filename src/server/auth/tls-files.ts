/** The certificate and key of the service, read from their files and known to fit before anything listens. */
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import type { Problem } from "../../problem.ts";
import type { TlsFiles } from "../http/http-server.ts";

export type TlsRead =
  | { readonly ok: true; readonly tls: TlsFiles }
  | { readonly ok: false; readonly problem: Problem };

/** Null: the setting is not given, which is wrong for one of the two. */
export function readTlsFiles(certFile: string | null, keyFile: string | null): TlsRead {
  if (certFile === null || keyFile === null) {
    const [given, missing] = certFile === null ? ["KEY", "CERT"] : ["CERT", "KEY"];
    return refused(
      `SERVE_TLS_${given}_FILE is set, and SERVE_TLS_${missing}_FILE is not.`,
      `Type: export SERVE_TLS_${missing}_FILE=<path of a PEM file>`,
    );
  }
  try {
    const tls = { cert: readFileSync(certFile, "utf8"), key: readFileSync(keyFile, "utf8") };
    createSecureContext(tls);
    return { ok: true, tls };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return refused(
      `SERVE_TLS_CERT_FILE=${certFile} and SERVE_TLS_KEY_FILE=${keyFile} can't be used: ${code ?? message}.`,
      "Name two PEM files that this user may read: the certificate with its chain, and its key without a passphrase.",
    );
  }
}

function refused(message: string, fix: string): TlsRead {
  return { ok: false, problem: { code: "serve-tls-files", message, fix } };
}
