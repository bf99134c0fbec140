/** What was typed into a form, as a query; what is wrong with it is said beside its field. */
import type { SearchQuery } from "../../index/enrollment-index.ts";
import { type Html, html, type Part } from "./html.ts";

export interface Typed {
  /** As it was typed, without blanks at its ends. */
  text(name: string): string;
  readonly errors: ReadonlyMap<string, string>;
}

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const textMax = 4_096;

export function createTyped(parameters: URLSearchParams): Typed & {
  tenant(name: string): string | null;
  guid(name: string): string | null;
  timeMs(name: string, nowMs: number): number | null;
} {
  const errors = new Map<string, string>();
  const text = (name: string) => (parameters.get(name) ?? "").trim().slice(0, textMax);
  const asGuid = (name: string) => {
    const typed = text(name);
    if (typed === "") return null;
    if (!guid.test(typed)) errors.set(name, "Type a GUID, such as 6a1d2e3f-4b5c-4d6e-9f70-8192a3b4c5d6.");
    return typed.toLowerCase();
  };
  return {
    errors,
    text,
    tenant: asGuid,
    guid: asGuid,
    timeMs(name, nowMs) {
      const typed = text(name);
      const ms = typed === "" ? null : timeOf(typed, nowMs);
      if (Number.isNaN(ms))
        errors.set(name, "Type how long ago (30m, 2h, 7d) or a UTC time: 2026-01-31 10:00.");
      return ms;
    },
  };
}

const units = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** NaN: it is none. Without an offset it is in UTC, as all times on the pages are. */
function timeOf(text: string, nowMs: number): number {
  const [, number, unit] = /^(\d{1,6})\s*([smhd])$/i.exec(text) ?? [];
  if (number !== undefined) return nowMs - Number(number) * units[unit!.toLowerCase() as keyof typeof units];
  const [, day, clock, offset] =
    /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)\s?(UTC|Z|[+-]\d{2}:\d{2})?)?$/i.exec(
      text,
    ) ?? [];
  if (day === undefined) return Number.NaN;
  const zone = offset === undefined || /^(?:UTC|Z)$/i.test(offset) ? "Z" : offset;
  const parsed = new Date(`${day}T${clock ?? "00:00"}${zone}`);
  // 2026-02-30 would be another day.
  const isReal = zone !== "Z" || parsed.toJSON()?.startsWith(day) === true;
  return isReal ? parsed.getTime() : Number.NaN;
}

export type Criteria = Omit<SearchQuery, "limit" | "after">;

export interface FieldLook {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
}

export function field(typed: Typed, { name, label, hint }: FieldLook): Html {
  const error = typed.errors.get(name);
  const described = error === undefined ? hint && `${name}-hint` : `${name}-error`;
  return html`<p><label for="${name}">${label}</label>
<input id="${name}" name="${name}" value="${typed.text(name)}" autocomplete="off" spellcheck="false"${error !== undefined && html` aria-invalid="true"`}${described && html` aria-describedby="${described}"`}>
${error === undefined ? hint && html`<span class="hint" id="${name}-hint">${hint}</span>` : html`<span class="error" id="${name}-error">${error}</span>`}</p>`;
}

export function choiceField(
  { name, label }: FieldLook,
  value: string,
  choices: readonly (readonly [value: string, text: Part])[],
): Html {
  return html`<p><label for="${name}">${label}</label>
<select id="${name}" name="${name}">${choices.map(([each, text]) => html`<option value="${each}"${each === value && html` selected`}>${text}</option>`)}</select></p>`;
}

/** The address of another page of the same list. */
function withParameter(
  path: string,
  parameters: URLSearchParams,
  { name, value }: { readonly name: string; readonly value: string | null },
): string {
  const changed = new URLSearchParams(parameters);
  if (value === null) changed.delete(name);
  else changed.set(name, value);
  for (const [each, text] of [...changed]) if (text === "") changed.delete(each);
  const query = changed.toString();
  return query === "" ? path : `${path}?${query}`;
}

/** To the first page and to the next. */
export function pager(path: string, parameters: URLSearchParams, next: string | null): Part {
  const isFirst = !parameters.get("after");
  if (isFirst && next === null) return null;
  return html`<nav aria-label="Pages of the list" class="actions">
${!isFirst && html`<a href="${withParameter(path, parameters, { name: "after", value: null })}">First page</a>`}
${next !== null && html`<a rel="next" href="${withParameter(path, parameters, { name: "after", value: next })}">Older</a>`}</nav>`;
}
