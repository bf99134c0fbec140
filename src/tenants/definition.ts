/** What TENANTS_FILE holds: typebox definitions, from which the validators and schemas/tenants.schema.json are made. */
import Type, { type Static } from "typebox";
import { Compile } from "typebox/compile";

const guid = (description: string) =>
  Type.String({ pattern: "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$", description });
const path = (description: string) => Type.String({ minLength: 1, maxLength: 1024, description });
const strict = { additionalProperties: false };

/** Secrets never stand in the file: it names the files that hold them. */
export const credentialsByKind = {
  "client-secret": Type.Object(
    {
      kind: Type.Literal("client-secret"),
      secretFile: path("File that holds the client secret. It is read again for each token."),
    },
    strict,
  ),
  "client-certificate": Type.Object(
    {
      kind: Type.Literal("client-certificate"),
      certificateFile: path(
        "Certificate with its private key, as PEM or PFX. It is read again when it changes.",
      ),
      passwordFile: Type.Optional(path("File that holds the password of the private key.")),
      sendChain: Type.Optional(Type.Boolean({ description: "Send the certificate's chain too." })),
    },
    strict,
  ),
  "workload-identity": Type.Object(
    {
      kind: Type.Literal("workload-identity"),
      tokenFile: path("Token of a Kubernetes service account that the application trusts."),
    },
    strict,
  ),
  "managed-identity-federated": Type.Object(
    {
      kind: Type.Literal("managed-identity-federated"),
      identityClientId: guid("Client id of the managed identity that the application trusts."),
    },
    strict,
  ),
};
export const credentialKinds = Object.keys(credentialsByKind) as (keyof typeof credentialsByKind)[];

const credential = Type.Union(
  [
    credentialsByKind["client-secret"],
    credentialsByKind["client-certificate"],
    credentialsByKind["workload-identity"],
    credentialsByKind["managed-identity-federated"],
  ],
  { description: "How the application proves itself to this tenant. Unset: as the worker's settings say." },
);
export type TenantCredential = Readonly<Static<typeof credential>>;

export const cloudNames = ["global", "us-gov", "us-dod", "china"] as const;

export const tenantEntry = Type.Object(
  {
    tenantId: guid("Directory (tenant) id, a GUID."),
    name: Type.Optional(
      Type.String({ minLength: 1, maxLength: 256, description: "For people: shown by `tenants list`." }),
    ),
    cloud: Type.Optional(
      Type.Unsafe<(typeof cloudNames)[number]>(
        Type.String({
          enum: [...cloudNames],
          description: "National cloud of the tenant. Unset: GRAPH_CLOUD.",
        }),
      ),
    ),
    clientId: Type.Optional(guid("Application that serves this tenant. Unset: AZURE_CLIENT_ID.")),
    credential: Type.Optional(credential),
    writesPer20s: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 1_000_000,
        description: "Creates for this tenant in 20 seconds; 0: no limit. Unset: GRAPH_WRITES_PER_20S.",
      }),
    ),
    paused: Type.Optional(
      Type.Boolean({ description: "Its records wait until this is false again, or gone." }),
    ),
  },
  strict,
);
/** Of a tenant: as the file says it, with its id in lower case. */
export type Tenant = Readonly<Static<typeof tenantEntry>>;

const address = (schemes: string, description: string) =>
  Type.String({ pattern: `^${schemes}://[^\\s?#@]+$`, maxLength: 1024, description });
const addresses = Type.Object(
  {
    graphUrl: Type.Optional(
      address("https?", "Graph's address there, without a version, where it is not the cloud's own."),
    ),
    authorityHost: Type.Optional(address("https", "The authority there.")),
  },
  strict,
);
const clouds = Type.Object(
  {
    global: Type.Optional(addresses),
    "us-gov": Type.Optional(addresses),
    "us-dod": Type.Optional(addresses),
    china: Type.Optional(addresses),
  },
  {
    ...strict,
    description: "Addresses in place of a cloud's own; those of GRAPH_CLOUD are set in the environment.",
  },
);
export type CloudAddresses = Readonly<Static<typeof clouds>>;

export const tenantsFile = Type.Object(
  {
    $schema: Type.Optional(Type.String({ description: "For editors." })),
    clouds: Type.Optional(clouds),
    tenants: Type.Array(tenantEntry, { minItems: 1, description: "Whose enrollments are accepted." }),
  },
  strict,
);

export const isTenantEntry = Compile(tenantEntry);
