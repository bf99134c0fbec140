/** Where Graph and Entra live in each Microsoft cloud. Source: Graph documentation, national cloud deployments. */

export interface CloudEndpoints {
  /** Origin of Graph, without a version. */
  readonly graphUrl: string;
  /** Origin of the token authority. */
  readonly authorityHost: string;
  /** What a managed identity's token is for when it stands for an application's secret. */
  readonly exchangeAudience: string;
}

export type CloudName = "global" | "us-gov" | "us-dod" | "china";

export const clouds: Readonly<Record<CloudName, CloudEndpoints>> = {
  global: {
    graphUrl: "https://graph.microsoft.com",
    authorityHost: "https://login.microsoftonline.com",
    exchangeAudience: "api://AzureADTokenExchange",
  },
  "us-gov": {
    graphUrl: "https://graph.microsoft.us",
    authorityHost: "https://login.microsoftonline.us",
    exchangeAudience: "api://AzureADTokenExchangeUSGov",
  },
  "us-dod": {
    graphUrl: "https://dod-graph.microsoft.us",
    authorityHost: "https://login.microsoftonline.us",
    exchangeAudience: "api://AzureADTokenExchangeUSGov",
  },
  // Some pages name login.partner.microsoftonline.cn instead: AZURE_AUTHORITY_HOST sets it.
  china: {
    graphUrl: "https://microsoftgraph.chinacloudapi.cn",
    authorityHost: "https://login.chinacloudapi.cn",
    exchangeAudience: "api://AzureADTokenExchangeChina",
  },
};

/** Other names of the clouds' own authorities. */
const otherAuthorities: Readonly<Partial<Record<CloudName, string>>> = {
  china: "https://login.partner.microsoftonline.cn",
};

/** Two clouds share one. */
function cloudsOfAuthority(url: string): CloudName[] {
  const { origin } = new URL(url);
  const names = Object.keys(clouds) as CloudName[];
  return names.filter((name) => [clouds[name].authorityHost, otherAuthorities[name]].includes(origin));
}

/** One of Microsoft's own, however it came to be named: webhooks and templates set it explicitly. */
export function isCloudAuthority(url: string): boolean {
  return cloudsOfAuthority(url).length > 0;
}

/** The clouds whose authority is named though Graph is in another one, which takes none of its tokens; []: all is well. */
export function authorityOfOtherCloud(app: {
  readonly cloud: CloudName;
  readonly authorityHost: string | null;
}): readonly CloudName[] {
  const found = app.authorityHost === null ? [] : cloudsOfAuthority(app.authorityHost);
  return found.includes(app.cloud) ? [] : found;
}

/** An application's authority: its cloud's, unless another is named. */
export function authorityOf(app: {
  readonly cloud: CloudName;
  readonly authorityHost: string | null;
}): string {
  return app.authorityHost ?? clouds[app.cloud].authorityHost;
}

/** Where Graph and the authority are: the cloud's, unless others are named. */
export function graphAddresses(settings: {
  readonly cloud: CloudName;
  readonly baseUrl: string | null;
  readonly authorityHost: string | null;
}): { readonly graph: string; readonly authority: string } {
  return { graph: settings.baseUrl ?? clouds[settings.cloud].graphUrl, authority: authorityOf(settings) };
}

/** The application scope of a cloud. It stays the same when a proxy or emulator stands in for the Graph host. */
export function scopeOf(cloud: CloudName): string {
  return `${clouds[cloud].graphUrl}/.default`;
}

export function exchangeScopeOf(cloud: CloudName): string {
  return `${clouds[cloud].exchangeAudience}/.default`;
}
