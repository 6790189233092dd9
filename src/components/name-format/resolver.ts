import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";
import { decodeMetadata } from "../spi/metadata.ts";
import type { NameResolver, ResolveRequest } from "../spi/name-resolution.ts";
import { NAME_FORMAT_FIELDS } from "./manifest.ts";

const PLACEHOLDER = "{appid}";

/** The factory of the `nameformat` component. */
export function createNameFormatResolver(deps: ComponentDeps): NameResolver {
  return new NameFormatResolver(deps);
}

/** Puts the app's id into the pattern wherever it says `{appid}`; namespaces play no part, as in Dapr. */
class NameFormatResolver implements NameResolver {
  readonly #deps: ComponentDeps;
  #format = "";

  constructor(deps: ComponentDeps) {
    this.#deps = deps;
  }

  async init(metadata: ComponentMetadata): Promise<void> {
    const options = { component: this.#deps.name, logger: this.#deps.logger };
    const { format } = decodeMetadata(NAME_FORMAT_FIELDS, metadata, options);
    if (!format.includes(PLACEHOLDER)) {
      throw new ComponentError("invalidMetadata", `format must contain ${PLACEHOLDER} placeholder`, {
        facts: { component: this.#deps.name, field: "format" },
      });
    }
    this.#format = format;
  }

  /** Nobody needs telling: the pattern is all there is. */
  announce(): Promise<void> {
    return Promise.resolve();
  }

  resolve(request: ResolveRequest): Promise<string> {
    return request.appId === ""
      ? Promise.reject(new ComponentError("invalidRequest", "empty ID not allowed"))
      : Promise.resolve(this.#format.replaceAll(PLACEHOLDER, () => request.appId));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
