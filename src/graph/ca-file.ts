/** Whether a file can serve as GRAPH_CA_FILE. Node itself ignores what is not a certificate, and then trusts nothing because of it. */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { getCACertificates } from "node:tls";

const block = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** What is wrong with it, as the end of a sentence; null: nothing. */
export function caFileProblem(path: string): string | null {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    return `can't be read (${(error as NodeJS.ErrnoException).code})`;
  }
  const certificates = text.match(block) ?? [];
  if (certificates.length === 0) return "holds no certificate in PEM form";
  return certificates.every(isCertificate) ? null : "holds a certificate that can't be read";
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

export function trustedCertificates(caFile: string | null): readonly string[] | null {
  if (caFile === null) return null;
  // A list that is passed replaces the default list: pass both.
  return [...getCACertificates("default"), readFileSync(caFile, "utf8")];
}
