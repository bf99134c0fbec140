/** Listening on a port, or what is wrong with it in the words of the settings that named it. */
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Problem } from "../../problem.ts";

export interface Place {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** The settings that name them. */
  readonly hostVariable: string;
  readonly portVariable: string;
  /** Taken where the port is not set; null: nothing listens then. */
  readonly defaultPort: number | null;
}

export async function listen(server: Server, place: Place): Promise<Problem | null> {
  const failure = await listening(server, place.host, place.port);
  return failure === null ? null : explain(failure, place);
}

/** With the port that was bound. */
export function urlOf(server: Server, scheme: "http" | "https", host: string): string {
  const { port } = server.address() as AddressInfo;
  return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function listening(server: Server, host: string, port: number): Promise<NodeJS.ErrnoException | null> {
  return new Promise((resolve) => {
    server.once("error", resolve);
    server.listen(port, host, () => {
      server.off("error", resolve);
      resolve(null);
    });
  });
}

function explain(error: NodeJS.ErrnoException, place: Place): Problem {
  const { host, port, hostVariable, portVariable } = place;
  if (error.code === "EADDRINUSE") return portTaken(place);
  if (error.code === "EACCES") {
    return {
      code: "port-not-allowed",
      message: `This user may not listen on ${portVariable}=${port}.`,
      fix: `Type: export ${portVariable}=8080`,
    };
  }
  return {
    code: "http-host",
    message: `Can't listen on ${hostVariable}=${host}: ${error.code ?? error.message}.`,
    fix: `Type: export ${hostVariable}=127.0.0.1 (or 0.0.0.0 for all addresses)`,
  };
}

function portTaken({ host, port, portVariable, defaultPort }: Place): Problem {
  const isDefault = port === defaultPort;
  const whenUnset = defaultPort === null ? "nothing listens then" : `then it is ${defaultPort}`;
  // Where the default itself is taken, unset changes nothing.
  const orUnset = isDefault ? "" : `, or: unset ${portVariable} (${whenUnset})`;
  return {
    code: "port-taken",
    message: `${portVariable}=${port}${isDefault ? " (its default)" : ""} on ${host} is taken by another process.`,
    fix: `Type: export ${portVariable}=0 (any free port) or another number${orUnset}`,
  };
}
