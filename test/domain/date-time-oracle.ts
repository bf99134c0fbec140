/**
 * DateTimeOffset once more, by other means than src/domain/date-time-offset.ts: a regular expression and Date for the
 * calendar, BigInt for the rest. Slow and plain.
 */
const shape = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,7}))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;
const unixEpochTicks = 621_355_968_000_000_000n;
const endOfTimeTicks = 3_155_378_976_000_000_000n;

/** Ticks since 0001-01-01T00:00:00Z; null: not a DateTimeOffset. */
export function oracleTicks(text: string): bigint | null {
  const match = shape.exec(text);
  if (match === null) return null;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  // Date carries what is too large over to the next unit: a possible date-time is one that it gives back unchanged.
  const back = [
    date.getUTCFullYear(),
    date.getUTCMonth() + 1,
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
    date.getUTCSeconds(),
  ];
  if (year === 0 || back.some((part, index) => part !== Number(match[index + 1]))) return null;

  const offset = BigInt(match[9] ?? 0) * 60n + BigInt(match[10] ?? 0);
  if (Number(match[10] ?? 0) > 59 || offset > 840n) return null;
  const east = match[8] === "-" ? -offset : offset;
  const fraction = BigInt((match[7] ?? "").padEnd(7, "0"));
  const ticks = unixEpochTicks + BigInt(date.getTime()) * 10_000n - east * 600_000_000n + fraction;
  return ticks >= 0n && ticks < endOfTimeTicks ? ticks : null;
}

/** The instant as text, with an offset in minutes and always seven digits. Null: the local year isn't 1 to 9999. */
export function formatTicks(ticks: bigint, offsetMinutes: number): string | null {
  const local = ticks + BigInt(offsetMinutes) * 600_000_000n;
  if (local < 0n || local >= endOfTimeTicks) return null;
  const date = new Date(Number((local - (local % 10_000_000n) - unixEpochTicks) / 10_000n));
  const two = (part: number) => String(part).padStart(2, "0");
  const day = `${String(date.getUTCFullYear()).padStart(4, "0")}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`;
  const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  const distance = Math.abs(offsetMinutes);
  const offset = `${offsetMinutes < 0 ? "-" : "+"}${two(Math.floor(distance / 60))}:${two(distance % 60)}`;
  return `${day}T${time}.${String(local % 10_000_000n).padStart(7, "0")}${offset}`;
}
