/** The version in package.json, which is found through its `imports`, wherever the compiled files lie. */
import { readFileSync } from "node:fs";

export const version: string = JSON.parse(
  readFileSync(new URL(import.meta.resolve("#package.json")), "utf8"),
).version;
