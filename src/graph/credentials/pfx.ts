/** PFX files (PKCS #12), which neither Node nor @azure/identity can open for their key: PEM is made of what they hold. */
import type * as Forge from "node-forge";
import type { pkcs12 as Pkcs12 } from "node-forge";

export type OpenedPfx =
  | { readonly ok: true; readonly keyPem: string; readonly certificatePems: readonly string[] }
  /** Completes "PATH …". */
  | { readonly ok: false; readonly problem: string };

type Bag = Pkcs12.Bag;

/** Loaded when it is needed: it is large. */
export async function openPfx(bytes: Buffer, password: string): Promise<OpenedPfx> {
  const { default: forge } = await import("node-forge");
  const { pki } = forge;
  const pfx = opened(forge, bytes, password);
  if (typeof pfx === "string") return { ok: false, problem: pfx };
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

/**
 * What is wrong, where it can't be opened. Files made by the newer scheme take the password as UTF-8, their checksum takes it as
 * UTF-16, and the library uses one form for both. So a password with non-ASCII characters gets a second try without the checksum,
 * which the first try has verified by then.
 */
function opened(forge: typeof Forge, bytes: Buffer, password: string): Pkcs12.Pkcs12Pfx | string {
  const { asn1, pkcs12, util } = forge;
  const parse = () => asn1.fromDer(util.createBuffer(bytes.toString("binary")));
  try {
    return pkcs12.pkcs12FromAsn1(parse(), false, password);
  } catch (error) {
    if (/MAC could not be verified/.test(String(error)))
      return "can't be opened: AZURE_CLIENT_CERTIFICATE_PASSWORD is not its password";
  }
  try {
    const file = parse();
    const parts = file.value as Forge.asn1.Asn1[];
    return pkcs12.pkcs12FromAsn1({ ...file, value: parts.slice(0, 2) }, false, util.encodeUtf8(password));
  } catch {
    return "is neither PEM nor a PFX file that can be read";
  }
}

export const notRsa = "holds a key that is not RSA, and Entra takes no other";
