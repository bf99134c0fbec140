/** `health`: asks a running worker whether it is ready; what containers use as their health check, curl being absent. */
import { Command } from "commander";
import type { Settings } from "../config/table.ts";
import { readSettings } from "./setting-options.ts";
import { exitCodes, fail, plain, print } from "./terminal.ts";

const timeoutMs = 4_000;
const shownCharacters = 1_000;

export function command(): Command {
  const health = new Command("health")
    .description(
      "Asks the worker on HTTP_PORT whether it is ready: exit code 0 when it is, else 1 and why not.",
    )
    .argument("[url]", "ask there instead; any 2xx answer is good")
    .action(async (given: string | undefined) => {
      const settings = readSettings(health, ["process"]);
      if (settings === null) return;
      const url = given ?? readyzOf(settings);
      if (url !== null && URL.canParse(url)) return ask(url);
      fail(
        {
          code: "health-url",
          message: "It is not known where to ask.",
          fix: "Type: export HTTP_PORT=8080, or: connector-registrar health <url>",
        },
        exitCodes.usage,
      );
    });
  return health;
}

function readyzOf({ httpHost, httpPort }: Settings): string | null {
  if (httpPort === null || httpPort === 0) return null;
  const host = httpHost === "0.0.0.0" || httpHost === "::" ? "localhost" : httpHost;
  return `http://${host.includes(":") ? `[${host}]` : host}:${httpPort}/readyz`;
}

async function ask(url: string): Promise<void> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs), redirect: "error" });
    const body = (await response.text()).trim();
    if (!response.ok) process.exitCode = exitCodes.failed;
    print(plain(body.slice(0, shownCharacters)));
  } catch (error) {
    const cause = (error as Error).cause ?? error;
    const reason = (cause as NodeJS.ErrnoException).code ?? (cause as Error).message;
    fail({
      code: "no-answer",
      message: `Nothing answers at ${plain(url)} (${reason}).`,
      fix: "Start the worker with HTTP_PORT set, and ask again.",
    });
  }
}
