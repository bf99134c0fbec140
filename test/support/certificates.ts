/** Certificates of applications, for tests. RSA: Entra takes no other. */
import { generate } from "selfsigned";

export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

const dayMs = 86_400_000;

/** Valid for 30 days from now by default; signed by `issuer`, or by itself. */
export async function certificate(
  name: string,
  {
    issuer,
    notAfterMs = Date.now() + 30 * dayMs,
    isCa = false,
  }: {
    readonly issuer?: TestCertificate;
    readonly notAfterMs?: number;
    readonly isCa?: boolean;
  } = {},
): Promise<TestCertificate> {
  const made = await generate([{ name: "commonName", value: name }], {
    algorithm: "sha256",
    keyType: "rsa",
    keySize: 2048,
    notBeforeDate: new Date(Math.min(Date.now(), notAfterMs) - dayMs),
    notAfterDate: new Date(notAfterMs),
    ...(issuer === undefined ? {} : { ca: issuer }),
    extensions: [{ name: "basicConstraints", cA: isCa, critical: true }],
  });
  return { cert: made.cert, key: made.private };
}
