import type { RoleContext } from "../../shared/types.ts";
import type { Environment } from "../environment.ts";
import { insecureValidator } from "./insecure.ts";
import { JwksValidator, jwksOptions } from "./jwks.ts";
import { KubernetesValidator } from "./kubernetes.ts";
import type { Validator, ValidatorName } from "./validator.ts";

/** The validators of one sentry. */
export interface OpenValidators {
  readonly all: ReadonlyMap<ValidatorName, Validator>;
  /** Starts them in the background: requests wait for the one that they need. */
  start(onFailure: (error: unknown) => void): void;
  stop(): Promise<void>;
}

/** Who the sentry itself is. */
export interface OwnIdentity {
  /** Its SPIFFE id, which tokens must be for. */
  readonly sentryUri: string;
  readonly trustDomain: string;
  readonly namespace: string;
}

export function openValidators(environment: Environment, own: OwnIdentity, context: RoleContext): OpenValidators {
  const { logger } = context;
  const all = new Map<ValidatorName, Validator>();
  const targets = new Map<Validator, ReturnType<RoleContext["addHealthTarget"]>>();
  for (const [name, options] of environment.configuration.validators) {
    const validator = open(name, options, environment, own, context);
    all.set(name, validator);
    if (name !== "insecure") {
      targets.set(validator, context.addHealthTarget(`sentry-${name}-validator`));
    }
    const suffix = name === "insecure" ? "" : ` with Sentry ID: ${own.sentryUri}`;
    logger.info(`Adding validator '${name}'${suffix}`);
  }
  return {
    all,
    start: (onFailure) => {
      for (const [name, validator] of all) {
        logger.info(`Using validator '${name}'`);
        validator.start().then(() => targets.get(validator)?.ready(), onFailure);
      }
    },
    stop: async () => {
      await Promise.all([...all.values()].map((validator) => validator.stop()));
    },
  };
}

function open(
  name: ValidatorName,
  options: ReadonlyMap<string, string>,
  { kubernetes }: Environment,
  own: OwnIdentity,
  context: RoleContext,
): Validator {
  switch (name) {
    case "insecure":
      return insecureValidator;
    case "jwks":
      return new JwksValidator(jwksOptions(options), own.sentryUri, {
        clock: context.clock,
        logger: context.logger.scope("dapr.sentry.identity.jwks"),
      });
    case "kubernetes":
      if (kubernetes === undefined) {
        throw new Error("the validator 'kubernetes' needs --mode=kubernetes");
      }
      return new KubernetesValidator({
        client: kubernetes,
        ...own,
        clock: context.clock,
        logger: context.logger.scope("dapr.sentry.identity.kubernetes"),
      });
  }
}
