import { errorMessage } from "../../kit/error-message.ts";
import { loadConfiguration } from "../../resources/configuration.ts";
import type { RoleContext } from "../shared/types.ts";
import type { Environment } from "./environment.ts";
import { fileStore } from "./issuer/file-store.ts";
import { sentryConfiguration } from "./sentry-configuration.ts";
import type { SentryOptions } from "./sentry-options.ts";

/** Reads the Configuration and opens where credentials are kept. @throws Error naming what is missing */
export async function openEnvironment(options: SentryOptions, context: RoleContext): Promise<Environment> {
  try {
    if (options.mode === "kubernetes") {
      const { openCluster } = await import("./cluster-environment.ts");
      return await openCluster(options, context);
    }
    return await openFiles(options, context);
  } catch (cause) {
    throw new Error(
      `loading default config. couldn't find config name ${JSON.stringify(options.configName)}: ${errorMessage(cause)}`,
      { cause },
    );
  }
}

async function openFiles(options: SentryOptions, { clock, logger }: RoleContext): Promise<Environment> {
  const { configName, environment, credentials, jwtKeyId, trustDomain } = options;
  const configuration = await loadConfiguration([configName], environment, (place, message) =>
    logger.warn(`${place.file}:${place.line}: ${message}`),
  );
  return {
    configuration: sentryConfiguration(configuration.mtls, "standalone"),
    store: fileStore(credentials, jwtKeyId, clock),
    clusterDomain: trustDomain,
    kubernetes: undefined,
    close: () => Promise.resolve(),
  };
}
