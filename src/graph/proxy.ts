/**
 * Which proxy a request goes through, by the variables that @azure/identity and most other programs read: HTTPS_PROXY,
 * else ALL_PROXY, else HTTP_PROXY for https; HTTP_PROXY, else ALL_PROXY for http; NO_PROXY lists what goes directly.
 * Each in upper or lower case. This machine itself (localhost) is never asked for through a proxy. Pure.
 */

export interface ProxyServer {
  /** Scheme, host and port, without credentials: may be shown. */
  readonly origin: string;
  readonly hostname: string;
  readonly port: number;
  /** TLS towards the proxy itself. */
  readonly secure: boolean;
  /** For Proxy-Authorization; null: the URL names no user. A secret. */
  readonly authorization: string | null;
  /** The variable that names it. */
  readonly variable: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const variablesFor: Readonly<Record<string, readonly string[]>> = {
  "https:": ["HTTPS_PROXY", "ALL_PROXY", "HTTP_PROXY"],
  "http:": ["HTTP_PROXY", "ALL_PROXY"],
};

/** Null: none, or the target is in NO_PROXY. Throws where the variable holds no URL of an HTTP proxy. */
export function proxyFor(target: URL, environment: Environment): ProxyServer | null {
  const variable = variablesFor[target.protocol]?.find((name) => settingOf(environment, name) !== "");
  if (variable === undefined || isLoopback(target.hostname)) return null;
  if (isExempt(target, settingOf(environment, "NO_PROXY"))) return null;
  const proxy = readProxy(variable, settingOf(environment, variable));
  if (proxy === null) throw new Error(proxyProblem(variable));
  return proxy;
}

/** What is wrong with the variables, in a sentence without their values; null: nothing. */
export function proxyProblemIn(environment: Environment): string | null {
  for (const name of new Set(Object.values(variablesFor).flat())) {
    const value = settingOf(environment, name);
    if (value !== "" && readProxy(name, value) === null) return proxyProblem(name);
  }
  return null;
}

function proxyProblem(variable: string): string {
  return `${variable} is not the URL of an HTTP proxy: write it as http://host:port or http://user:password@host:port`;
}

function readProxy(variable: string, value: string): ProxyServer | null {
  const url = URL.parse(value.includes("://") ? value : `http://${value}`);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) return null;
  const secure = url.protocol === "https:";
  const hostname = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = url.port === "" ? (secure ? 443 : 80) : Number(url.port);
  const credentials = `${decoded(url.username)}:${decoded(url.password)}`;
  const authorization = credentials === ":" ? null : `Basic ${Buffer.from(credentials).toString("base64")}`;
  const origin = `${url.protocol}//${url.hostname}:${port}`;
  return { origin, hostname, port, secure, authorization, variable };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function settingOf(environment: Environment, name: string): string {
  return (environment[name] || environment[name.toLowerCase()] || "").trim();
}

/** A proxy elsewhere means another machine by it. */
function isLoopback(hostname: string): boolean {
  return /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

/**
 * `host`, `host:port`, `.domain` or `*.domain` (the domain itself too), `*` for everything. A bare name also covers
 * what lies below it, as for curl.
 */
function isExempt(target: URL, list: string): boolean {
  const host = target.hostname.toLowerCase();
  const port = target.port === "" ? (target.protocol === "https:" ? "443" : "80") : target.port;
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((item) => item !== "")
    .some((item) => {
      if (item === "*") return true;
      const [, name = "", itemPort = ""] =
        /^(.*?)(?::(\d+))?$/.exec(isBareIpv6(item) ? `[${item}]` : item) ?? [];
      const domain = name.replace(/^\*?\./, "");
      return (itemPort === "" || itemPort === port) && (host === domain || host.endsWith(`.${domain}`));
    });
}

function isBareIpv6(item: string): boolean {
  return item.split(":").length > 2 && !item.startsWith("[");
}
