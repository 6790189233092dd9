import { expect, it } from "vitest";
import { isEnvironmentReferenceAllowed } from "./environment-reference.ts";

it.each([
  ["HOST", undefined, true],
  ["", undefined, false],
  ["APP_API_TOKEN", undefined, false],
  ["Dapr_Token", undefined, false],
  ["A B", undefined, false],
  ["HOST", "", true],
  ["HOST", "PORT HOST", true],
  ["HOST", "HOSTNAME HOST", true],
  ["host", "HOST", true],
  ["HOST", "HOSTNAME", false],
  ["APP_API_TOKEN", "APP_API_TOKEN", false],
])("%j with the list %j: %s", (name, list, allowed) => {
  expect(isEnvironmentReferenceAllowed(name, { DAPR_ENV_KEYS: list })).toBe(allowed);
});
