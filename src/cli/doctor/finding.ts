/** One line of `doctor`. */
export interface Finding {
  readonly part: "settings" | "log" | "graph";
  /** "warning": it works, but not under every fault. */
  readonly status: "ok" | "note" | "warning" | "wrong";
  readonly text: string;
  /** What to type or change; "" where nothing is wrong. */
  readonly fix: string;
  /** Whether it may pass without anybody's doing; else it is a matter of configuration. */
  readonly mayPass: boolean;
}

export function ok(part: Finding["part"], text: string): Finding {
  return { part, status: "ok", text, fix: "", mayPass: true };
}

export function note(part: Finding["part"], text: string): Finding {
  return { part, status: "note", text, fix: "", mayPass: true };
}

export function warning(part: Finding["part"], text: string, fix: string): Finding {
  return { part, status: "warning", text, fix, mayPass: false };
}

export function wrong(part: Finding["part"], text: string, fix: string, mayPass: boolean): Finding {
  return { part, status: "wrong", text, fix, mayPass };
}
