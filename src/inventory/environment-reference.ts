/** Environment variable that limits which others a resource may name; the injector sets it. */
const ALLOWED_KEYS_VARIABLE = "DAPR_ENV_KEYS";

/**
 * Whether a resource may read that environment variable (`envRef`): never the tokens and Dapr's own, and where the
 * injector left a list, only what it lists.
 */
export function isEnvironmentReferenceAllowed(
  name: string,
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  const key = name.toUpperCase();
  if (key === "" || key === "APP_API_TOKEN" || key.startsWith("DAPR_") || key.includes(" ")) {
    return false;
  }
  const allowed = environment[ALLOWED_KEYS_VARIABLE] ?? "";
  return allowed === "" || allowed.split(" ").includes(key);
}
