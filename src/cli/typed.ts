/**
 * What is typed to run a command: `connector-registrar emit --count 1`, or `npm run emit -- --count 1` where npm runs the sources: in a
 * clone there is no program of that name on the PATH.
 */
type Environment = Readonly<Record<string, string | undefined>>;

/** Each has a script of its name in package.json. */
export const commandNames = [
  "start",
  "serve",
  "tokens",
  "emit",
  "tail",
  "doctor",
  "tenants",
  "health",
  "replay",
  "reconcile",
  "audit",
  "repartition",
];

export function isNpmScript(environment: Environment): boolean {
  const { npm_package_name: name, npm_lifecycle_event: script } = environment;
  return name === "connector-registrar" && script !== undefined && commandNames.includes(script);
}

const commandLine = new RegExp(
  `\\bconnector-registrar (${commandNames.join("|")})\\b( (?=-|<|(?:create|list|revoke|check|consent|export)\\b))?`,
  "g",
);

/** The text with its command lines as they are typed here. */
export function asTyped(text: string, environment: Environment = process.env): string {
  if (!isNpmScript(environment)) return text;
  return text.replace(commandLine, (_, name: string, space?: string) =>
    space === undefined ? `npm run ${name}` : `npm run ${name} -- `,
  );
}
