/**
 * The arrows between folders, held by `npm run lint`. Type imports count like any other; where a folder may take another
 * one's types only, the table says so. test/arrows.test.ts shows that each rule can fail.
 *
 *   emulator/   nothing of the others: it stands for Graph and Entra
 *   src/        the product, nothing outside src
 *   demo/       src and emulator: the program that the package installs
 *   lab/        all of these: never in the package
 *   scripts/    src
 *   test/       anything
 */

/**
 * Folders and files of src. `imports`: whose modules it may import; `types`: whose types; `packages`; `node`: modules of
 * Node itself, "*" for all. Arrows point inward: domain <- policy <- registrar. Adapters know domain and ports, and not
 * each other; all may say what is wrong (problem). Only compose.ts builds adapters, and cli builds what the command line alone needs.
 */
const layers = {
  problem: {},
  ports: {},
  "graph-port": {},
  observer: { types: ["ports"] },
  "trace-port": { types: ["ports"] },
  domain: { types: ["ports"], packages: ["typebox"], node: ["crypto", "assert", "assert/strict"] },
  policy: { imports: ["domain"], types: ["ports"], node: ["assert", "assert/strict"] },
  moment: { types: ["ports"] },
  clock: { types: ["ports"], node: ["perf_hooks"] },
  sleep: { types: ["ports"] },
  registrar: { imports: ["domain", "moment", "policy", "ports", "sleep"], node: ["assert", "assert/strict"] },
  reconcile: { imports: ["domain"], types: ["ports"], packages: ["typebox"] },
  repartition: { imports: ["domain", "ports", "registrar"] },
  config: { imports: ["domain"], types: ["ports"], packages: ["typebox"], node: ["fs", "path"] },
  "log/kafka": { imports: ["domain", "moment", "ports", "sleep"], packages: ["kafkajs"], node: ["*"] },
  "log/embedded": { imports: ["domain", "ports", "sleep"], node: ["*"] },
  graph: {
    imports: ["domain", "moment", "ports"],
    packages: [
      ...["@azure/core-rest-pipeline", "@azure/identity", "@microsoft/microsoft-graph-client"],
      ...["node-forge", "undici"],
    ],
    node: ["*"],
  },
  observe: {
    imports: ["domain", "ports"],
    types: ["policy"],
    packages: [
      ...["@opentelemetry/api", "@opentelemetry/otlp-exporter-base", "@opentelemetry/resources"],
      ...["@opentelemetry/sdk-trace", "pino", "prom-client"],
    ],
    node: ["*"],
  },
  snapshots: { imports: ["domain", "ports"], node: ["*"] },
  audit: { imports: ["domain", "ports"], types: ["index"], packages: ["typebox"], node: ["*"] },
  index: { imports: ["domain", "ports", "sleep"], packages: ["typebox"], node: ["*"] },
  replay: { imports: ["domain", "ports", "sleep"] },
  server: {
    imports: ["domain", "ports", "replay"],
    types: ["audit", "index"],
    packages: [
      "@fastify/swagger",
      "@fastify/type-provider-typebox",
      "fastify",
      "jose",
      "prom-client",
      "typebox",
    ],
    node: ["*"],
  },
  tenants: { types: ["ports"], packages: ["typebox"], node: ["*"] },
  compose: {
    imports: [
      ...[
        "audit",
        "clock",
        "config",
        "domain",
        "graph",
        "index",
        "log/embedded",
        "log/kafka",
        "observe",
        "policy",
        "ports",
      ],
      ...["registrar", "repartition", "server", "sleep", "snapshots", "tenants"],
    ],
    node: ["*"],
  },
  cli: {
    imports: [
      ...[
        "audit",
        "clock",
        "compose",
        "config",
        "domain",
        "observe",
        "policy",
        "ports",
        "reconcile",
        "repartition",
      ],
      ...["replay", "server", "sleep"],
    ],
    types: ["index", "registrar"],
    packages: ["commander"],
    node: ["*"],
  },
};

/** What belongs to a part of a layer alone, or to some of those that may import all of Node. */
const owners = {
  "@azure/core-rest-pipeline": ["graph/credentials"],
  "@azure/identity": ["graph/credentials"],
  "@opentelemetry/api": ["observe/traces"],
  "@opentelemetry/otlp-exporter-base": ["observe/traces"],
  "@opentelemetry/resources": ["observe/traces"],
  "@opentelemetry/sdk-trace": ["observe/traces"],
  jose: ["server/auth"],
  "node-forge": ["graph/credentials"],
  "node:http": ["observe/traces", "server"],
  "node:https": ["observe/traces", "server"],
  "node:net": ["graph", "log/kafka", "server"],
  "node:sqlite": ["index", "log/embedded"],
  "node:tls": ["graph", "log/kafka", "server"],
};

const rooms = ["src", "emulator", "demo", "lab", "scripts", "test"];
const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const oneOf = (names) => `(?:${names.map(escaped).join("|")})`;
/** The ports stand in four files, which are one layer. */
const seams = ["ports", "graph-port", "observer", "trace-port"];
const withSeams = (names) => names.flatMap((name) => (name === "ports" ? seams : [name]));
const inSrc = (names) => (names.length === 0 ? "^$" : `^src/${oneOf(names)}(?:\\.ts$|/)`);
const ofRooms = (names) => `^${oneOf(names)}/`;
const packageTypes = [
  ...["npm", "npm-dev", "npm-optional", "npm-peer", "npm-bundled", "npm-no-pkg", "npm-unknown"],
  "unknown",
];

/** The folders of src/registrar: each knows those before it, and the files that all of them share. */
const parts = ["intake", "ledger", "ownership", "flow"];
const shared = `^src/registrar/${oneOf(["claim", "fault", "persist", "ports", "settings"])}\\.ts$`;

/** Nothing but these packages and modules of Node. */
function outside(name, from, { packages, node }) {
  const allowed = packages.length === 0 ? "^$" : `(?:^|node_modules/)${oneOf(packages)}(?:/|$)`;
  const rules = [
    {
      name: `${name}: packages`,
      severity: "error",
      from,
      to: { dependencyTypes: packageTypes, pathNot: [allowed, ofRooms(rooms)] },
    },
  ];
  if (node.includes("*")) return rules;
  const modules = node.length === 0 ? "^$" : `^(?:node:)?${oneOf(node)}$`;
  return [
    ...rules,
    { name: `${name}: node`, severity: "error", from, to: { dependencyTypes: ["core"], pathNot: modules } },
  ];
}

function ownerRule([name, folders]) {
  const [, bare = null] = /^node:(.*)$/.exec(name) ?? [];
  return {
    name: `${name}: only in ${folders.join(", ")}`,
    severity: "error",
    from: { path: "^src/", pathNot: inSrc(folders) },
    to:
      bare === null
        ? { dependencyTypes: packageTypes, path: `(?:^|node_modules/)${escaped(name)}(?:/|$)` }
        : { dependencyTypes: ["core"], path: `^(?:node:)?${escaped(bare)}$` },
  };
}

function layerRules([name, { imports = [], types = [], packages = [], node = [] }]) {
  const from = { path: inSrc([name]) };
  const values = inSrc([name, "problem", ...withSeams(imports)]);
  return [
    {
      name: `src/${name}: values`,
      severity: "error",
      from,
      to: { path: ofRooms(rooms), pathNot: values, dependencyTypesNot: ["type-only"] },
    },
    {
      name: `src/${name}: types`,
      severity: "error",
      from,
      to: {
        path: ofRooms(rooms),
        pathNot: inSrc([name, "problem", ...withSeams([...imports, ...types])]),
        dependencyTypes: ["type-only"],
      },
    },
    ...outside(`src/${name}`, from, { packages, node }),
  ];
}

const forbidden = [
  { name: "circle", severity: "error", from: {}, to: { circular: true } },
  { name: "missing", severity: "error", from: {}, to: { couldNotResolve: true } },
  {
    name: "src: a folder without rules",
    severity: "error",
    from: { path: "^src/", pathNot: inSrc(Object.keys(layers)) },
    to: {},
  },
  ...Object.entries(layers).flatMap(layerRules),
  ...Object.entries(owners).map(ownerRule),
  {
    name: "kafkajs: one file knows its private parts",
    severity: "error",
    from: {
      path: ofRooms(["src", "emulator", "demo", "lab", "scripts"]),
      pathNot: "^src/log/kafka/cluster/kafkajs-internals\\.ts$",
    },
    to: { path: "(?:^|/)node_modules/kafkajs/(?!index\\.js$)" },
  },
  {
    name: "emulator: alone",
    severity: "error",
    from: { path: "^emulator/" },
    to: { path: ofRooms(rooms), pathNot: "^emulator/" },
  },
  ...outside(
    "emulator",
    { path: "^emulator/" },
    { packages: ["commander", "jose", "selfsigned", "typebox"], node: ["*"] },
  ),
  {
    name: "demo: src and emulator",
    severity: "error",
    from: { path: "^demo/" },
    to: { path: ofRooms(rooms), pathNot: ofRooms(["demo", "src", "emulator"]) },
  },
  ...outside("demo", { path: "^demo/" }, { packages: ["commander", "kafkajs", "pino"], node: ["*"] }),
  {
    name: "lab: no tests",
    severity: "error",
    from: { path: "^lab/" },
    to: { path: ofRooms(["test", "scripts"]) },
  },
  {
    name: "scripts: src alone",
    severity: "error",
    from: { path: "^scripts/" },
    to: { path: ofRooms(["test", "lab", "demo", "emulator"]) },
  },
  {
    name: "simulation: the core alone",
    severity: "error",
    from: { path: "^lab/simulation/" },
    to: {
      path: ofRooms(rooms),
      pathNot: [
        "^lab/simulation/",
        inSrc(["clock", "domain", "policy", ...seams, "problem", "registrar"]),
        // The list of tenants that the worker asks, without the file that it comes from.
        "^src/tenants/(?:changes|definition|parse|served)\\.ts$",
      ],
    },
  },
  {
    name: "simulation: its checker shares no code with the core",
    severity: "error",
    from: { path: "^lab/simulation/check" },
    to: { path: "^src/", pathNot: inSrc(seams) },
  },
  ...parts.map((name, index) => ({
    name: `registrar/${name}: knows only what comes before it`,
    severity: "error",
    from: { path: `^src/registrar/${name}/` },
    to: {
      path: "^src/registrar/",
      pathNot: [`^src/registrar/${oneOf(parts.slice(0, index + 1))}/`, ...(index === 0 ? [] : [shared])],
    },
  })),
];

module.exports = {
  forbidden,
  options: {
    // With this parser type imports are counted and told apart; it takes the TypeScript that this project is written in.
    parser: "swc",
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: {
      extensions: [".ts", ".mjs", ".js"],
      exportsFields: ["exports"],
      // The last one for packages that hold types alone.
      mainFields: ["main", "types"],
      conditionNames: ["import", "node", "default"],
    },
  },
};
