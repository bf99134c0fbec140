/**
 * Where the testkit keeps what later runs find again, such as Kafka's jars. `npm test` gives each run a temporary directory that ends with
 * it, and names the machine's own here.
 */
import { tmpdir } from "node:os";

export const keptDirectoryVariable = "CONNECTOR_REGISTRAR_KEPT_DIRECTORY";

export function keptDirectory(): string {
  return process.env[keptDirectoryVariable] ?? tmpdir();
}
