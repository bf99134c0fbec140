/** Why a connection could not be made or broke off, in one line for people. */

/** Node's and OpenSSL's names for a certificate whose issuer is not trusted. */
const untrusted =
  /SELF_SIGNED|UNABLE_TO_(GET_ISSUER|VERIFY)|CERT_UNTRUSTED|self.signed certificate|unable to (verify|get) .*certificate/i;

/** The code and the message; for certificates also what to do. `caVariable`: names the file of trusted authorities. */
export function describeError(error: Error, caVariable = "GRAPH_CA_FILE"): string {
  const first = firstOf(error);
  const code = codeOf(first);
  const text = first.message.includes(code) ? first.message : `${code} ${first.message}`;
  const hint = isUntrusted(error) ? `; name its CA's PEM file in ${caVariable} (or NODE_EXTRA_CA_CERTS)` : "";
  return text.replaceAll(/\s+/g, " ").trim().slice(0, 400) + hint;
}

/** Waiting changes nothing: the certificate's authority is not one that this process trusts. */
export function isUntrusted(error: Error): boolean {
  for (let link: unknown = error, depth = 0; link instanceof Error && depth < 8; link = link.cause, depth++) {
    if (untrusted.test(`${codeOf(link)} ${link.message}`)) return true;
  }
  return false;
}

/** Node reports a host with several addresses as an AggregateError without a message. */
function firstOf(error: Error): Error {
  return error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error;
}

function codeOf(error: Error): string {
  const { code } = error as { code?: unknown };
  // @azure/identity puts this before every cause.
  return typeof code === "string" && code !== "REQUEST_SEND_ERROR" ? code : "";
}
