import { errorMessage } from "../../kit/error-message.ts";
import { ComponentError } from "../spi/errors.ts";

/** Characters of the list of routes. */
const ROUTES_CHARACTERS_MAX = 1024 * 1024;

/** Reads the `routes` field, JSON or YAML, in the order it was written. @throws ComponentError `invalidMetadata` */
export async function parseRoutes(text: string): Promise<readonly (readonly [string, string])[]> {
  if (text.length > ROUTES_CHARACTERS_MAX) {
    throw invalid(`it has ${text.length} characters, more than the limit of ${ROUTES_CHARACTERS_MAX}`);
  }
  const value = await parse(text);
  if (value === null || value === undefined) {
    return [];
  }
  if (typeof value !== "object" || Array.isArray(value)) {
    throw invalid("it is no object of paths");
  }
  return Object.entries(value).map(([path, target]) => {
    if (typeof target !== "string" && typeof target !== "number" && typeof target !== "boolean") {
      throw invalid(`the value of ${JSON.stringify(path)} is no path`);
    }
    return [path, String(target)];
  });
}

async function parse(text: string): Promise<unknown> {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // JSON with a comma too many, tabs or no quotes is YAML most of the time.
  }
  const { parse: parseYaml } = await import("yaml");
  try {
    return parseYaml(text, { logLevel: "error" }) as unknown;
  } catch (cause) {
    throw invalid(errorMessage(cause), cause);
  }
}

function invalid(reason: string, cause?: unknown): ComponentError {
  return new ComponentError(
    "invalidMetadata",
    `failed to decode 'routes' property as JSON or YAML: ${reason}`,
    cause === undefined ? {} : { cause },
  );
}
