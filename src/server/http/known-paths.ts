/** Which methods each path has, so that a path with another method is a 405 with Allow and not a 404. */

export interface KnownPaths {
  note(route: { readonly url: string; readonly method: string | string[] }): void;
  /** `GET, HEAD, OPTIONS`; null: there is no such path. */
  methodsOf(path: string): string | null;
}

export function knownPaths(): KnownPaths {
  const paths = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>();
  return {
    note({ url, method }) {
      const known = paths.get(url) ?? { pattern: patternOf(url), methods: new Set<string>() };
      for (const each of [method].flat()) known.methods.add(each);
      paths.set(url, known);
    },
    methodsOf(path) {
      for (const { pattern, methods } of paths.values())
        if (pattern.test(path)) return [...methods, "OPTIONS"].sort().join(", ");
      return null;
    },
  };
}

/** `/enrollments/:key` */
function patternOf(url: string): RegExp {
  const parts = url
    .split("/")
    .map((part) => (part.startsWith(":") ? "[^/]+" : part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")));
  return new RegExp(`^${parts.join("/")}$`);
}
