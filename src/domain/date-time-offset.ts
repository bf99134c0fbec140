/**
 * Edm.DateTimeOffset as text: `2016-12-31T23:57:59.3726057-08:00`. JavaScript's Date keeps three of the seven
 * fractional digits and no offset, so the text travels as it came and only comparisons use ticks.
 *
 * Accepted: a proleptic Gregorian date of the years 1 to 9999, seconds 0-59, at most seven fractional digits, and
 * `Z` or an offset of at most 14 hours, where the instant in UTC is within those years too (.NET's range, so Graph's).
 * `T` and `Z` may be lower case (RFC 3339).
 */
export type DateTimeFault = "malformed" | "impossible" | "without-offset" | "too-precise";

interface Instant {
  /** Whole seconds since 0001-01-01T00:00:00Z. */
  readonly seconds: number;
  /** 100 ns ticks within the second. */
  readonly fraction: number;
}

const daysBeforeMonth = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
const daysInMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const maxOffsetMinutes = 14 * 60;
const endOfTimeSeconds = 3_652_059 * 86_400;
const maxFractionalDigits = 7;

/**
 * 100 ns ticks since 0001-01-01T00:00:00Z, in decimal digits (more than a number holds exactly); null unless the text is a
 * date-time with an offset as described above.
 */
export function ticksOf(text: string): string | null {
  const instant = readDateTimeOffset(text);
  if (typeof instant === "string") return null;
  const { seconds, fraction } = instant;
  return seconds === 0 ? String(fraction) : seconds + String(fraction).padStart(maxFractionalDigits, "0");
}

/** The instant in numbers, or what is wrong with the text. */
export function readDateTimeOffset(text: string): Instant | DateTimeFault {
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 2);
  const day = digits(text, 8, 2);
  const hour = digits(text, 11, 2);
  const minute = digits(text, 14, 2);
  const second = digits(text, 17, 2);
  const shaped =
    text[4] === "-" && text[7] === "-" && isOneOf(text[10], "Tt") && text[13] === ":" && text[16] === ":";
  // A part that isn't digits is NaN, and so is the sum.
  if (!shaped || Number.isNaN(year + month + day + hour + minute + second)) return "malformed";

  const fractionEnd = text[19] === "." ? endOfDigits(text, 20) : 19;
  const fractionDigits = fractionEnd - 20;
  if (fractionDigits === 0) return "malformed";
  if (fractionEnd === text.length) return "without-offset";
  const offsetMinutes = readOffset(text, fractionEnd);
  if (offsetMinutes === null) return "malformed";
  if (fractionDigits > maxFractionalDigits) return "too-precise";

  const isPossible =
    isCalendarDay(year, month, day) &&
    hour <= 23 &&
    minute <= 59 &&
    second <= 59 &&
    !Number.isNaN(offsetMinutes);
  if (!isPossible) return "impossible";
  const seconds = (daysBefore(year, month, day) * 24 + hour) * 3600 + (minute - offsetMinutes) * 60 + second;
  if (seconds < 0 || seconds >= endOfTimeSeconds) return "impossible";
  const fraction =
    fractionDigits > 0 ? digits(text, 20, fractionDigits) * 10 ** (maxFractionalDigits - fractionDigits) : 0;
  return { seconds, fraction };
}

/** Minutes east of UTC; NaN: well formed but out of range; null: not an offset, or something follows it. */
function readOffset(text: string, at: number): number | null {
  const sign = text[at];
  if (isOneOf(sign, "Zz")) return at + 1 === text.length ? 0 : null;
  const hours = digits(text, at + 1, 2);
  const minutes = digits(text, at + 4, 2);
  const shaped = isOneOf(sign, "+-") && text[at + 3] === ":" && at + 6 === text.length;
  if (!shaped || Number.isNaN(hours + minutes)) return null;
  const total = hours * 60 + minutes;
  if (minutes > 59 || total > maxOffsetMinutes) return Number.NaN;
  return sign === "-" ? -total : total;
}

function isCalendarDay(year: number, month: number, day: number): boolean {
  if (year < 1 || month < 1 || month > 12 || day < 1) return false;
  return day <= daysInMonth[month - 1]! + (month === 2 && isLeapYear(year) ? 1 : 0);
}

function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** Days from 0001-01-01 to the given day. */
function daysBefore(year: number, month: number, day: number): number {
  const past = year - 1;
  const leapDays = Math.floor(past / 4) - Math.floor(past / 100) + Math.floor(past / 400);
  const leapDay = month > 2 && isLeapYear(year) ? 1 : 0;
  return past * 365 + leapDays + daysBeforeMonth[month - 1]! + leapDay + day - 1;
}

/** The number that `count` ASCII digits make; NaN if one of them isn't there. */
function digits(text: string, from: number, count: number): number {
  let number = 0;
  for (let at = from; at < from + count; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    number = number * 10 + digit;
  }
  return number;
}

function endOfDigits(text: string, from: number): number {
  let at = from;
  while (at < text.length && text.charCodeAt(at) >= 48 && text.charCodeAt(at) <= 57) at++;
  return at;
}

function isOneOf(character: string | undefined, characters: string): boolean {
  return character !== undefined && characters.includes(character);
}
