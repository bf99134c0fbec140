/**
 * The `connector.enrolled` event: typebox definitions, from which both the validators and schemas/*.json are made.
 *
 * Unknown members are allowed everywhere and ignored. Date-times are kept as the strings that they came as.
 */
import Type from "typebox";
import { Compile } from "typebox/compile";
import Format from "typebox/format";
import { readDateTimeOffset } from "./date-time-offset.ts";

export const enrolledType = "connector.enrolled";
const maxPropertyCharacters = 256;
const maxAttributeCharacters = 1024;

// typebox's own check takes time zone names and ten times as long. Compile() binds the format, so it is set first.
Format.Set("date-time", (text) => typeof readDateTimeOffset(text) === "object");

/** No control characters and no lone surrogates; written without \p, which validators in other languages lack. */
const printable = "^[^\\u0000-\\u001f\\u007f-\\u009f\\ud800-\\udfff]*$";

const property = (description: string) =>
  Type.String({ minLength: 1, maxLength: maxPropertyCharacters, pattern: printable, description });
const attribute = (description: string) =>
  Type.String({ minLength: 1, maxLength: maxAttributeCharacters, pattern: printable, description });
const dateTime = (description: string) =>
  Type.String({
    format: "date-time",
    pattern: "^[^.]*(\\.\\d{1,7})?([Zz]|[+-]\\d{2}:\\d{2})$",
    description: `${description} At most seven fractional digits; kept as it is, to the last digit.`,
  });

export const enrollmentDetails = Type.Object({
  connectorName: property("Connector name, set during enrollment."),
  machineName: property("Name of the machine that hosts the connector; its case does not matter."),
  enrollmentDateTime: dateTime("When the connector was enrolled."),
  lastCheckinDateTime: dateTime("When the connector last connected to the service."),
  connectorVersion: property("Version of the connector installed."),
});
/** Strings exactly as they came. */
export type EnrollmentDetails = Readonly<Type.Static<typeof enrollmentDetails>>;

export const eventAttributes = Type.Object({
  specversion: Type.Literal("1.0", { description: "CloudEvents version." }),
  id: attribute("The producer's id of this event."),
  source: attribute("Who produced it, a URI reference."),
  type: attribute("Type of the event."),
});

const tenantId = Type.String({
  pattern: "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$",
  description: "Entra tenant id (a GUID) that the connector belongs to.",
});

/** As published, in structured form. decode() goes by its parts, stage by stage, to tell what is wrong. */
export const enrolledEvent = Type.Object({
  ...eventAttributes.properties,
  type: Type.Literal(enrolledType, { description: "Type of the event." }),
  tenantid: tenantId,
  datacontenttype: Type.Optional(
    Type.String({
      pattern: "^[^/\\s]+/([^;\\s]+\\+)?[Jj][Ss][Oo][Nn]\\s*(;.*)?$",
      description: "JSON, if it is given.",
    }),
  ),
  traceparent: Type.Optional(
    Type.String({
      description:
        "W3C trace context. connector.registered carries it on, or a later one of the worker's trace, which is linked to it.",
    }),
  ),
  data: enrollmentDetails,
});

export interface Enrollment {
  /** GUID, lower case. */
  readonly tenantId: string;
  readonly details: EnrollmentDetails;
  readonly event: { readonly id: string; readonly source: string; readonly traceparent: string | null };
}

export const isEnrollmentDetails = Compile(enrollmentDetails);
export const isEventAttributes = Compile(eventAttributes);
