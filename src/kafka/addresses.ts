/** Addresses of brokers as people type them. */

/** host:port or [IPv6]:port; a port that is missing is Kafka's own. */
export function seedsOf(brokers: readonly string[]): { host: string; port: number }[] {
  return brokers.map((address) => {
    const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]*))(?::(\d+))?$/.exec(address.trim()) ?? [];
    return { host: bracketed ?? plain ?? address, port: Number(port ?? 9092) };
  });
}
