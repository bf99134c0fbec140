/** A line that sets a variable when it is pasted into a shell. What only the user knows is a quoted placeholder in it. */

const needsNoQuotes = /^[A-Za-z0-9_.,:/@%+-]+$/;

export function exportLine(variable: string, value: string): string {
  return `export ${variable}=${needsNoQuotes.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`}`;
}
