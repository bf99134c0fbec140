/** Which addresses are namespaces of Azure Event Hubs. Pure. */

const suffixes = [
  ".servicebus.windows.net",
  ".servicebus.usgovcloudapi.net",
  ".servicebus.chinacloudapi.cn",
] as const;

/** The host name, in lower case, of the first broker that is one; null: none is. */
export function eventHubsHost(brokers: readonly string[] | null): string | null {
  const hosts = (brokers ?? []).map((broker) => broker.replace(/:\d+$/, "").toLowerCase());
  return hosts.find((host) => suffixes.some((suffix) => host.endsWith(suffix))) ?? null;
}
