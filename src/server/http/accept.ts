/** Whether a client takes what the service sends. RFC 9110, 12.5.1, as far as JSON is concerned. */

const jsonRanges = ["*/*", "application/*", "application/json", "application/problem+json"];

/** No Accept header is one that takes all. The media type alone counts, not its rank: there is one form only. */
export function acceptsJson(accept: string | undefined): boolean {
  if (accept === undefined || accept.trim() === "") return true;
  return accept.split(",").some((range) => {
    const [type = "", ...parameters] = range.toLowerCase().split(";");
    const isRefused = parameters.some((parameter) => /^\s*q\s*=\s*0(?:\.0{0,3})?\s*$/.test(parameter));
    return !isRefused && jsonRanges.includes(type.trim());
  });
}
