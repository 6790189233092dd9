import type { Logger } from "../../kit/logger.ts";

const SKIP_VARIABLE = "DAPR_UNSAFE_SKIP_CONTAINER_UID_GID_CHECK";

/**
 * Roles do not run as root in Kubernetes (`pkg/security/usergroup.go`).
 * @param userId -1 where the system has none
 * @throws Error that says how to run them all the same
 */
export function checkKubernetesUser(
  userId: number,
  environment: Readonly<Record<string, string | undefined>>,
  logger: Logger,
): void {
  if (userId === -1) {
    return;
  }
  if (environment[SKIP_VARIABLE] === "true") {
    logger.warn("Skipping container UID/GID check due to env override.");
    return;
  }
  if (userId === 0) {
    throw new Error(
      "current user UID(0) is root. Dapr must be run as a non-root user in Kubernetes environments. " +
        `To override this check, set the environment variable '${SKIP_VARIABLE}=true'`,
    );
  }
  logger.info(`Running in Kubernetes environment as user ${userId}`);
}
