/** Edm.DateTimeOffset, checked apart from the registrar's own reader so that the two do not share a mistake. */

const pattern = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,7}))?(Z|[+-](\d\d):(\d\d))$/;

/** `instant`: equal for equal instants, whatever the offset; seconds since 1970, then seven digits. Null: no such date-time. */
export function readDateTimeOffset(text: string): { readonly instant: string } | null {
  const parts = pattern.exec(text);
  if (parts === null) return null;
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (year === 0 || month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59) return null;
  if (day < 1 || day > daysIn(year, month)) return null;
  const offsetMinutes = parts[8] === "Z" ? 0 : Number(parts[9]) * 60 + Number(parts[10]);
  if (offsetMinutes > 14 * 60 || Number(parts[10] ?? 0) > 59) return null;
  const utc = new Date(0);
  // setUTCFullYear, because Date.UTC takes years below 100 for 1900 and later.
  utc.setUTCFullYear(year, month - 1, day);
  utc.setUTCHours(hour, minute + (parts[8]!.startsWith("-") ? offsetMinutes : -offsetMinutes), second);
  return { instant: `${utc.getTime() / 1000}.${(parts[7] ?? "").padEnd(7, "0")}` };
}

function daysIn(year: number, month: number): number {
  if (month !== 2) return [4, 6, 9, 11].includes(month) ? 30 : 31;
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
}
