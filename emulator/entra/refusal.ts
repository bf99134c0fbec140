/** Entra's error body: an OAuth error, and an AADSTS number with its sentence. */

export interface EntraReply {
  readonly status: number;
  readonly body: unknown;
}

/** Times are milliseconds since 1970; ids go into the error body. */
export interface EntraCall {
  readonly wallMs: number;
  readonly traceId: string;
  readonly correlationId: string;
}

export interface Refusal {
  readonly status: 400 | 401;
  readonly error: string;
  readonly code: number;
  readonly message: string;
}

export function refuse(call: EntraCall, { status, error, code, message }: Refusal): EntraReply {
  const timestamp = `${new Date(call.wallMs).toISOString().slice(0, 19).replace("T", " ")}Z`;
  const trace = `Trace ID: ${call.traceId} Correlation ID: ${call.correlationId} Timestamp: ${timestamp}`;
  return {
    status,
    body: {
      error,
      error_description: `AADSTS${code}: ${message} ${trace}`,
      error_codes: [code],
      timestamp,
      trace_id: call.traceId,
      correlation_id: call.correlationId,
    },
  };
}

/** The application did not prove who it is. */
export function invalidClient(code: number, message: string): Refusal {
  return { status: 401, error: "invalid_client", code, message };
}

export function unknownTenant(tenantId: string): Refusal {
  const message = `Tenant '${tenantId.slice(0, 64)}' not found. Check that it is the right tenant id and cloud.`;
  return { status: 400, error: "invalid_tenant", code: 90002, message };
}
