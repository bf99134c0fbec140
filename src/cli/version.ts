/** The version in package.json, which a bundle holds a copy of. */
import manifest from "#package.json" with { type: "json" };

export const version: string = manifest.version;
