/** UUIDs as text: RFC 9562's name-based version 5, and the shape that Entra gives tenant ids. */
import { hash } from "node:crypto";

const shape = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** The hexadecimal digits whose two highest bits are RFC 9562's variant, 10. */
const variants = "89ab";

/** 8-4-4-4-12 hexadecimal digits, either case, any version. */
export function isUuid(text: string): boolean {
  return shape.test(text);
}

/** Of version 5, either case. */
export function isUuidV5(text: string): boolean {
  return isUuid(text) && text[14] === "5" && variants.includes(text[19]!.toLowerCase());
}

/** Gives names (hashed as UTF-8) their version 5 UUIDs, lower case. `namespace` must be a UUID. */
export function uuidV5In(namespace: string): (name: string) => string {
  const prefix = Buffer.from(namespace.replaceAll("-", ""), "hex");
  return (name) => {
    const input = Buffer.allocUnsafe(prefix.length + Buffer.byteLength(name));
    prefix.copy(input);
    input.write(name, prefix.length);
    return format(hash("sha1", input, "hex"));
  };
}

function format(digest: string): string {
  const variant = variants[Number.parseInt(digest.charAt(16), 16) & 3];
  const tail = `${variant}${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-5${digest.slice(13, 16)}-${tail}`;
}
