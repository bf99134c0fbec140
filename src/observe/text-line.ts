/** A JSON log line as people read it: time of day, level, message, then the other fields. */

/** Of `base`, what every line has anyway, nothing is shown. The dates differ only around midnight: they are left out. */
export function textLine(json: string, base: Readonly<Record<string, string>>): string {
  const { level, time, msg, event: _event, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const clock = new Date(String(time)).toTimeString().slice(0, 8);
  const shown = Object.entries(fields)
    .filter(([name]) => !(name in base))
    .map(([name, value]) => `${name}=${typeof value === "string" ? quoted(value) : JSON.stringify(value)}`);
  const head = `${clock} ${String(level).toUpperCase().padEnd(5)} ${String(msg)}`;
  return `${plain([head, ...shown].join("  "))}\n`;
}

function quoted(text: string): string {
  return /[\s"=]/.test(text) ? JSON.stringify(text) : text;
}

/** Control characters in foreign text must not reach a terminal. */
function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, "\u00b7");
}
