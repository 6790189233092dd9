import type { Logger } from "../kit/logger.ts";
import type { ComponentResource } from "../resources/component.ts";

/**
 * `spec.components.deny` of the Configuration: types, or types with a version (`bindings.http/v1`). Once anything is
 * denied, Dapr also refuses components that do not say a version.
 */
export function createDenyList(denied: readonly string[], logger: Logger): (component: ComponentResource) => boolean {
  const rules = denied
    .filter((each) => each !== "")
    .map((each) => each.split("/"))
    .filter((parts) => parts.length <= 2)
    .map(([type = "", version = ""]) => ({ type, version }));
  if (denied.length === 0) {
    return () => true;
  }
  return (component) => {
    if (component.type === "" || component.version === "") {
      logger.warn(
        `component '${component.name}' cannot be loaded because it does not say a type and a version, which spec.components.deny needs`,
      );
      return false;
    }
    const refused = rules.some(
      (rule) => rule.type === component.type && (rule.version === "" || rule.version === component.version),
    );
    if (refused) {
      logger.warn(
        `component '${component.name}' cannot be loaded because components of type '${component.logName}' are not allowed`,
      );
    }
    return !refused;
  };
}
