/** Graph of each cloud, and what a managed identity's token is for there when it stands for an application's secret. */

export const clouds = {
  global: { graph: "https://graph.microsoft.com", exchange: "api://AzureADTokenExchange" },
  "us-gov": { graph: "https://graph.microsoft.us", exchange: "api://AzureADTokenExchangeUSGov" },
  "us-dod": { graph: "https://dod-graph.microsoft.us", exchange: "api://AzureADTokenExchangeUSGov" },
  china: { graph: "https://microsoftgraph.chinacloudapi.cn", exchange: "api://AzureADTokenExchangeChina" },
} as const;

export type Cloud = keyof typeof clouds;
export const cloudNames = Object.keys(clouds) as Cloud[];

export const exchangeAudiences: readonly string[] = [
  ...new Set(Object.values(clouds).map(({ exchange }) => exchange)),
];

/** Null: all of them. */
export function graphsOf(cloud: Cloud | null): readonly string[] {
  return cloud === null ? Object.values(clouds).map(({ graph }) => graph) : [clouds[cloud].graph];
}
