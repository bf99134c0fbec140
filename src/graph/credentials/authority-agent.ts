/**
 * Lets @azure/identity connect as requests to Graph do: the same proxy, the same trusted authorities. Its own handling
 * of proxies leaves out the trusted authorities.
 */
import { Agent } from "node:https";
import type { Duplex } from "node:stream";
import type { Connector } from "../connector.ts";

type CreateConnection = NonNullable<Agent["createConnection"]>;

export class AuthorityAgent extends Agent {
  readonly #connector: Connector;

  constructor(connector: Connector) {
    super({ keepAlive: false });
    this.#connector = connector;
  }

  override createConnection(...[options, callback]: Parameters<CreateConnection>): Duplex | undefined {
    const { host, port } = options as { host?: string | null; port?: number | string | null };
    const target = { hostname: host ?? "", port: String(port ?? 443), protocol: "https:" };
    this.#connector.connect(
      { ...target, host: `${target.hostname}:${target.port}` },
      (...[error, socket]) => {
        if (error === null) callback?.(null, socket!);
        else callback?.(error, undefined as unknown as Duplex);
      },
    );
    return undefined;
  }
}
