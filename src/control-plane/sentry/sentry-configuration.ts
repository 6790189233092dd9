import { errorMessage } from "../../kit/error-message.ts";
import { InvalidDurationError, parseGoDuration } from "../../kit/duration.ts";
import type { Configuration } from "../../resources/configuration.ts";
import type { SentryConfiguration, SentryOptions } from "./sentry-options.ts";
import type { ValidatorName } from "./validators/validator.ts";

const WORKLOAD_TTL_MS = 24 * 60 * 60 * 1000;
const SKEW_MS = 15 * 60 * 1000;

type MtlsSection = NonNullable<Configuration["mtls"]>;

/** What `spec.mtls` of a Configuration says to a sentry. @throws Error in Dapr's words */
export function sentryConfiguration(mtls: MtlsSection | undefined, mode: SentryOptions["mode"]): SentryConfiguration {
  const { validators, defaultValidator } = validatorsOf(mtls?.tokenValidators ?? [], mode);
  return {
    workloadTtlMs: duration(mtls?.workloadCertTTL, "WorkloadCertTTL", WORKLOAD_TTL_MS),
    skewMs: duration(mtls?.allowedClockSkew, "AllowedClockSkew", SKEW_MS),
    validators,
    defaultValidator,
  };
}

function duration(text: string | undefined, name: string, otherwise: number): number {
  if (text === undefined || text === "") {
    return otherwise;
  }
  try {
    return parseGoDuration(text);
  } catch (cause) {
    if (!(cause instanceof InvalidDurationError)) {
      throw cause;
    }
    throw new Error(`error parsing ${name} duration: ${errorMessage(cause)}`, { cause });
  }
}

/** Where one is configured, it takes the place of the insecure one and each request names it. */
function validatorsOf(
  written: NonNullable<MtlsSection["tokenValidators"]>,
  mode: SentryOptions["mode"],
): Pick<SentryConfiguration, "validators" | "defaultValidator"> {
  const validators = new Map<ValidatorName, ReadonlyMap<string, string>>();
  const defaultValidator = mode === "kubernetes" ? "kubernetes" : written.length === 0 ? "insecure" : undefined;
  if (defaultValidator !== undefined) {
    validators.set(defaultValidator, new Map());
  }
  for (const { name = "", options } of written) {
    switch (name.toLowerCase()) {
      case "jwks":
        validators.set("jwks", optionsOf(options));
        break;
      case "kubernetes":
      case "insecure":
        throw new Error(
          "invalid token validator: the built-in 'kubernetes' and 'insecure' validators cannot be configured manually",
        );
      default:
        throw new Error(`invalid token validator name: '${name}'; supported values: 'jwks'`);
    }
  }
  return { validators, defaultValidator };
}

function optionsOf(written: unknown): ReadonlyMap<string, string> {
  if (typeof written !== "object" || written === null) {
    return new Map();
  }
  return new Map(
    Object.entries(written).map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]),
  );
}
