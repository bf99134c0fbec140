/** An application's certificate with its private key, out of the bytes of a PEM or PFX file. */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { notRsa, openPfx } from "./pfx.ts";

export interface Certificate {
  /** The key, then the certificate, then those that signed it. A secret. */
  readonly pem: string;
  readonly key: KeyObject;
  /** The certificate and those that signed it: DER, in base64. */
  readonly chain: readonly string[];
  /** As Azure's portal shows it: SHA-1, in hexadecimal. */
  readonly thumbprint: string;
  /** As assertions carry it, in base64url. */
  readonly thumbprintSha256: string;
  readonly notAfterMs: number;
}

export type ReadCertificate =
  | { readonly ok: true; readonly certificate: Certificate }
  /** Completes "PATH …". */
  | { readonly ok: false; readonly problem: string };

const certificateBlock = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const keyBlock = /-----BEGIN ((?:RSA |EC |ENCRYPTED )?PRIVATE KEY)-----[^-]+(?:-[^-]+)*?-----END \1-----/;

/** `password`: "" where none is set. */
export async function readCertificate(bytes: Buffer, password: string): Promise<ReadCertificate> {
  const text = bytes.toString("utf8");
  if (text.includes("-----BEGIN ")) return fromPem(text, password);
  if (bytes.length === 0) return { ok: false, problem: "is empty" };
  const opened = await openPfx(bytes, password);
  return opened.ok ? assemble(createPrivateKey(opened.keyPem), opened.certificatePems) : opened;
}

function fromPem(text: string, password: string): ReadCertificate {
  const block = keyBlock.exec(text)?.[0];
  if (block === undefined)
    return {
      ok: false,
      problem: "holds no private key: put it into the same file, before or after the certificate",
    };
  const isEncrypted = /ENCRYPTED/.test(block);
  if (isEncrypted && password === "")
    return {
      ok: false,
      problem: "holds a key with a password, and AZURE_CLIENT_CERTIFICATE_PASSWORD is not set",
    };
  try {
    const key = createPrivateKey(isEncrypted ? { key: block, passphrase: password } : block);
    return assemble(key, text.match(certificateBlock) ?? []);
  } catch {
    const problem = isEncrypted
      ? "holds a key that AZURE_CLIENT_CERTIFICATE_PASSWORD does not open"
      : "holds a private key that can't be read";
    return { ok: false, problem };
  }
}

function assemble(key: KeyObject, pems: readonly string[]): ReadCertificate {
  if (key.asymmetricKeyType !== "rsa") return { ok: false, problem: notRsa };
  const certificates: X509Certificate[] = [];
  for (const pem of pems) {
    const certificate = parsed(pem);
    if (certificate === null) return { ok: false, problem: "holds a certificate that can't be read" };
    certificates.push(certificate);
  }
  if (certificates.length === 0) return { ok: false, problem: "holds no certificate" };
  const own = certificates.find((certificate) => certificate.checkPrivateKey(key));
  if (own === undefined) return { ok: false, problem: "holds a private key of another certificate" };
  const chain = [own, ...certificates.filter((certificate) => certificate !== own)];
  const keyPem = key.export({ format: "pem", type: "pkcs8" }).toString();
  return {
    ok: true,
    certificate: {
      pem: [keyPem, ...chain.map(String)].map((each) => `${each.trim()}\n`).join(""),
      key,
      chain: chain.map(({ raw }) => raw.toString("base64")),
      thumbprint: own.fingerprint.replaceAll(":", ""),
      thumbprintSha256: Buffer.from(own.fingerprint256.replaceAll(":", ""), "hex").toString("base64url"),
      notAfterMs: own.validToDate.getTime(),
    },
  };
}

function parsed(pem: string): X509Certificate | null {
  try {
    return new X509Certificate(pem);
  } catch {
    return null;
  }
}
