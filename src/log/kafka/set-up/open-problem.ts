/** Why a cluster can't be used, for people: what is wrong, where, what to type. Never the password. */
import type { OpenFailure, Problem } from "../../../problem.ts";
import {
  connectionCode,
  hungUp,
  isRefusal,
  plainTextOnTlsPort,
  protocolError,
  reasonOf,
} from "../cluster/errors.ts";
import {
  errorChain,
  isLoginError,
  isMechanismMissing,
  withoutLoginPrefix,
} from "../cluster/kafkajs-internals.ts";
import { NoTokenError, TokenRefusedError } from "../cluster/oauth-login.ts";
import type { KafkajsSecurity } from "../cluster/security.ts";
import type { KafkaFlavor } from "../flavor.ts";

export interface Attempt {
  readonly brokers: readonly string[];
  readonly security: KafkajsSecurity;
  /** The broker hung up and, when asked, offered ways to log in. */
  readonly asksForLogin: boolean;
  readonly flavor: KafkaFlavor;
}

export function openFailure(error: unknown, attempt: Attempt): OpenFailure {
  const { brokers, security, asksForLogin, flavor } = attempt;
  const at = addressOf(error, brokers);
  const noToken = errorChain(error).find((link) => link instanceof NoTokenError);
  if (noToken !== undefined) return tokenFailure(noToken, at);
  const problem =
    tlsProblem(error, at, security) ?? (asksForLogin ? loginMissing(at) : saslProblem(error, at, attempt));
  if (problem !== null) return { ok: false, retryable: false, problem };
  const reason = reasonOf(error);
  const isEventHubs = flavor === "event-hubs";
  if (isRefusal(error)) {
    const message = `Kafka at ${at}: ${reason}.`;
    const fix = isEventHubs
      ? "Grant this client's identity the roles Azure Event Hubs Data Sender and Data Receiver on the namespace (Standard tier or above)."
      : `Check what the broker asks of clients and grants to this one: kafka-acls.sh --bootstrap-server ${brokers[0]} --list`;
    return { ok: false, retryable: false, problem: { code: "kafka-refused", message, fix } };
  }
  if (!isEventHubs && isAdvertised(error, brokers)) return astray(at, brokers, reason);
  const message = `Kafka at ${at} can't be reached: ${reason}${hint(error, security)}.`;
  const fix = isEventHubs
    ? "Check that KAFKA_BROKERS is NAMESPACE.servicebus.windows.net:9093, and that the namespace's networking and the firewalls on the way let this machine in."
    : `Check KAFKA_BROKERS and that a broker answers there: kafka-topics.sh --bootstrap-server ${brokers[0]} --list`;
  return { ok: false, retryable: true, problem: { code: "kafka-unreachable", message, fix } };
}

/** The address was advertised by a broker, not configured. */
function isAdvertised(error: unknown, brokers: readonly string[]): boolean {
  const at = addressOf(error, brokers);
  return errorChain(error).some(({ broker }) => broker !== undefined) && !brokers.includes(at);
}

function astray(at: string, brokers: readonly string[], reason: string): OpenFailure {
  const message = `Kafka at ${brokers.join(", ")} answers, and names ${at} as a broker's address, which can't be reached from here: ${reason}.`;
  const fix =
    "If that broker runs, set its advertised.listeners to a name and a port that this machine reaches, or open the way to it; else start it. " +
    `What a broker names: kafka-broker-api-versions.sh --bootstrap-server ${brokers[0]}`;
  return { ok: false, retryable: true, problem: { code: "kafka-unreachable", message, fix } };
}

function tokenFailure({ failure: { refused, detail, fix } }: NoTokenError, at: string): OpenFailure {
  const message = `No token for the login to Kafka at ${at}: ${detail}.`;
  const otherwise = refused
    ? "Check the settings KAFKA_OAUTH_*."
    : "Nothing is to be typed: it is tried again. If it lasts, check that the token endpoint can be reached from here.";
  return { ok: false, retryable: !refused, problem: { code: "kafka-token", message, fix: fix ?? otherwise } };
}

function tlsProblem(error: unknown, at: string, { ssl }: KafkajsSecurity): Problem | null {
  const code = connectionCode(error);
  const problem = (message: string, fix: string) => ({
    code: "kafka-tls",
    message: `Kafka at ${at}: ${message}.`,
    fix: `${fix}.`,
  });
  if (code === plainTextOnTlsPort) {
    const fix =
      "Type: export KAFKA_SSL=true, and, if its certificate authority is your own: export KAFKA_CA_FILE='<PEM file>'";
    return problem("this port speaks TLS, and KAFKA_SSL is false", fix);
  }
  if (!ssl) return null;
  if (untrusted.has(code)) {
    const fix = "Type: export KAFKA_CA_FILE='<PEM file of the authority that signed it>'";
    return problem(`the broker's certificate is signed by no authority trusted here (${code})`, fix);
  }
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    const fix =
      "Type in KAFKA_BROKERS a name that the certificate has, and the like in the broker's advertised.listeners";
    return problem(`the broker's certificate has another name: ${reasonOf(error)}`, fix);
  }
  if (code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID") {
    return problem(
      `the broker's certificate is not valid now (${code})`,
      "Renew it, or set this machine's clock",
    );
  }
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER" || code === "ERR_SSL_PACKET_LENGTH_TOO_LONG") {
    return problem(
      "this port does not speak TLS",
      "Type: export KAFKA_SSL=false, or put the TLS port into KAFKA_BROKERS",
    );
  }
  if (!aboutClientCertificate.test(code)) return null;
  const has = typeof ssl === "object" && ssl.cert !== undefined;
  const what = has
    ? "the broker refuses this client's certificate"
    : "the broker refuses TLS without a certificate of this client";
  const fix =
    "Type KAFKA_CLIENT_CERT_FILE and KAFKA_CLIENT_KEY_FILE of a certificate that the broker's truststore accepts";
  return problem(`${what} (${code})`, fix);
}

const aboutClientCertificate =
  /^ERR_SSL_.*ALERT_(.*CERTIFICATE.*|UNKNOWN_CA|HANDSHAKE_FAILURE|ACCESS_DENIED)$/;

const untrusted: ReadonlySet<string> = new Set([
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "CERT_SIGNATURE_FAILURE",
  "CERT_UNTRUSTED",
  "INVALID_CA",
]);

function loginMissing(at: string): Problem {
  return {
    code: "kafka-login",
    message: `Kafka at ${at}: this port asks for a login, and KAFKA_SASL_MECHANISM is unset.`,
    fix: "Type KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD, or KAFKA_SASL_MECHANISM=oauthbearer.",
  };
}

function saslProblem(error: unknown, at: string, { security: { sasl }, flavor }: Attempt): Problem | null {
  if (!sasl) return null;
  const reason = withoutLoginPrefix(reasonOf(error));
  const problem = (message: string, fix: string) => ({ code: "kafka-login", message, fix });
  if (protocolError(error) === "ILLEGAL_SASL_STATE") {
    return problem(
      `Kafka at ${at}: this port takes no login, and KAFKA_SASL_MECHANISM=${sasl.mechanism} is set.`,
      "Type the port with SASL in KAFKA_BROKERS, or unset KAFKA_SASL_MECHANISM and what belongs to it.",
    );
  }
  if (protocolError(error) === "UNSUPPORTED_SASL_MECHANISM" || isMechanismMissing(reason)) {
    return problem(
      `Kafka at ${at} does not take KAFKA_SASL_MECHANISM=${sasl.mechanism}.`,
      "Type in KAFKA_SASL_MECHANISM one of the broker's sasl.enabled.mechanisms.",
    );
  }
  if (errorChain(error).some((link) => link instanceof TokenRefusedError)) {
    return problem(
      `Kafka at ${at} refuses the token: ${reason}.`,
      "Compare the token's audience, issuer and scope with what the broker asks for (KAFKA_OAUTH_SCOPE, KAFKA_OAUTH_TOKEN_ENDPOINT, KAFKA_OAUTH_EXTENSIONS). " +
        "On Event Hubs: grant the identity the roles Azure Event Hubs Data Sender and Data Receiver, and wait some minutes until they count.",
    );
  }
  const isLogin = errorChain(error).some(isLoginError);
  if (!isLogin || !isRefusal(error) || !("username" in sasl)) return null;
  if (flavor === "event-hubs") {
    return problem(
      `Event Hubs at ${at} refuses the connection string: ${reason}.`,
      "Put the connection string of a policy of this namespace with the claims Send and Listen into KAFKA_SASL_PASSWORD (or its file), whole, with SharedAccessKey=; " +
        "if the namespace has local authentication disabled, type: export KAFKA_SASL_MECHANISM=oauthbearer",
    );
  }
  return problem(
    `Kafka at ${at} refuses the login of KAFKA_SASL_USERNAME=${sasl.username}: ${reason}.`,
    `Type KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD as the broker has them for KAFKA_SASL_MECHANISM=${sasl.mechanism}.`,
  );
}

/** A port of the other kind may hang up without a word, as a broker that goes down does. */
function hint(error: unknown, { ssl }: KafkajsSecurity): string {
  if (ssl && connectionCode(error) === "ECONNRESET")
    return " (if the port is without TLS, type: export KAFKA_SSL=false)";
  return !ssl && hungUp(error) ? " (if the port speaks TLS, type: export KAFKA_SSL=true)" : "";
}

function addressOf(error: unknown, brokers: readonly string[]): string {
  const broker = errorChain(error).find(({ broker }) => broker !== undefined)?.broker;
  // kafkajs leaves out the brackets of an IPv6 address.
  return broker?.replace(/^([^[].*:.*):(\d+)$/, "[$1]:$2") ?? brokers.join(", ");
}
