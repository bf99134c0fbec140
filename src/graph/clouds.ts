/** Where Graph and Entra live in each Microsoft cloud. Source: Graph documentation, national cloud deployments. */

export interface CloudEndpoints {
  /** Origin of Graph, without a version. */
  readonly graphUrl: string;
  /** Origin of the token authority. */
  readonly authorityHost: string;
}

export type CloudName = "global" | "us-gov" | "us-dod" | "china";

export const clouds: Readonly<Record<CloudName, CloudEndpoints>> = {
  global: { graphUrl: "https://graph.microsoft.com", authorityHost: "https://login.microsoftonline.com" },
  "us-gov": { graphUrl: "https://graph.microsoft.us", authorityHost: "https://login.microsoftonline.us" },
  "us-dod": { graphUrl: "https://dod-graph.microsoft.us", authorityHost: "https://login.microsoftonline.us" },
  // Some pages name login.partner.microsoftonline.cn instead: AZURE_AUTHORITY_HOST sets it.
  china: {
    graphUrl: "https://microsoftgraph.chinacloudapi.cn",
    authorityHost: "https://login.chinacloudapi.cn",
  },
};

/** Where Graph and the authority are: the cloud's, unless others are named. */
export function graphAddresses(settings: {
  readonly cloud: CloudName;
  readonly baseUrl: string | null;
  readonly authorityHost: string | null;
}): { readonly graph: string; readonly authority: string } {
  const { graphUrl, authorityHost } = clouds[settings.cloud];
  return { graph: settings.baseUrl ?? graphUrl, authority: settings.authorityHost ?? authorityHost };
}

/** The application scope of a cloud. It stays the same when a proxy or emulator stands in for the Graph host. */
export function scopeOf(cloud: CloudName): string {
  return `${clouds[cloud].graphUrl}/.default`;
}
