/** One line of `doctor`. */
export interface Finding {
  readonly part: "settings" | "log" | "graph" | "tenants";
  /** "warning": it works, but not under every fault. */
  readonly status: "ok" | "note" | "warning" | "wrong";
  readonly text: string;
  /** What to type or change; "" where nothing is wrong. */
  readonly fix: string;
  /** Whether it may pass by itself; otherwise the configuration has to be changed. */
  readonly retryable: boolean;
}

export function ok(part: Finding["part"], text: string): Finding {
  return { part, status: "ok", text, fix: "", retryable: true };
}

export function note(part: Finding["part"], text: string): Finding {
  return { part, status: "note", text, fix: "", retryable: true };
}

export function warning(part: Finding["part"], text: string, fix: string): Finding {
  return { part, status: "warning", text, fix, retryable: false };
}

export function wrong(
  part: Finding["part"],
  { text, fix, retryable }: { readonly text: string; readonly fix: string; readonly retryable: boolean },
): Finding {
  return { part, status: "wrong", text, fix, retryable };
}
