/** Addresses of brokers as people type them. */

export interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * host:port or [IPv6]:port; a port that is missing is Kafka's own. An IPv6 address keeps its brackets, so that messages
 * show it as it was typed.
 */
export function seedsOf(brokers: readonly string[]): Address[] {
  return brokers.map((address) => {
    const [, host, port] = /^(\[[^\]]+\]|[^:]*)(?::(\d+))?$/.exec(address.trim()) ?? [];
    return { host: host ?? address, port: Number(port ?? 9092) };
  });
}

/** As the system takes it. */
export function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}
