/** PFX files (PKCS #12), which neither Node nor @azure/identity can open for their key: PEM is made of what they hold. */
import type { pkcs12 as Pkcs12 } from "node-forge";

export type OpenedPfx =
  | { readonly ok: true; readonly keyPem: string; readonly certificatePems: readonly string[] }
  /** Completes "PATH …". */
  | { readonly ok: false; readonly problem: string };

type Bag = Pkcs12.Bag;

/** Loaded when it is needed: it is large. */
export async function openPfx(bytes: Buffer, password: string): Promise<OpenedPfx> {
  const { default: forge } = await import("node-forge");
  const { asn1, pkcs12, pki, util } = forge;
  let pfx: Pkcs12.Pkcs12Pfx;
  try {
    pfx = pkcs12.pkcs12FromAsn1(asn1.fromDer(util.createBuffer(bytes.toString("binary"))), false, password);
  } catch (error) {
    const isPassword = /password|MAC could not be verified|PKCS#12 MAC/i.test(String(error));
    const problem = isPassword
      ? "can't be opened: AZURE_CLIENT_CERTIFICATE_PASSWORD is not its password"
      : "is neither PEM nor a PFX file that can be read";
    return { ok: false, problem };
  }
  const bagsOf = (type: string | undefined): Bag[] => pfx.getBags({ bagType: type! })[type!] ?? [];
  const keys = [...bagsOf(pki.oids.pkcs8ShroudedKeyBag), ...bagsOf(pki.oids.keyBag)];
  const key = keys.find(({ key: found }) => found);
  if (key === undefined) {
    return { ok: false, problem: keys.length > 0 ? notRsa : "holds no private key: export it with its key" };
  }
  const certificatePems = bagsOf(pki.oids.certBag).flatMap(({ cert }) =>
    cert ? [pki.certificateToPem(cert)] : [],
  );
  return { ok: true, keyPem: pki.privateKeyToPem(key.key!), certificatePems };
}

export const notRsa = "holds a key that is not RSA, and Entra takes no other";
