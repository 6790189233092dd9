import { platform } from "node:os";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import { decodeMetadata } from "../spi/metadata.ts";
import type { Secret, SecretStore } from "../spi/secret-store.ts";
import { localEnvFields } from "./manifest.ts";

export function createLocalEnvStore(deps: ComponentDeps): SecretStore {
  return new LocalEnvStore(deps, platform() === "win32");
}

/** Variable names are matched without case on Windows, as Windows does. The sidecar's own tokens are never given out. */
class LocalEnvStore implements SecretStore {
  readonly #deps: ComponentDeps;
  readonly #ignoreCase: boolean;
  #prefix = "";

  constructor(deps: ComponentDeps, ignoreCase: boolean) {
    this.#deps = deps;
    this.#ignoreCase = ignoreCase;
  }

  async init(metadata: ComponentMetadata): Promise<void> {
    this.#prefix = decodeMetadata(localEnvFields, metadata, {
      component: this.#deps.name,
      logger: this.#deps.logger,
    }).prefix;
  }

  /** A variable that is not set is an empty secret, and so is one that is not given out. */
  async getSecret(name: string): Promise<Secret> {
    const variable = this.#prefix + name;
    if (!isGivenOut(variable)) {
      this.#deps.logger.warn(`Access to env var ${name} is forbidden`);
      return { [name]: "" };
    }
    return { [name]: this.#read(variable) };
  }

  async bulkGetSecret(): Promise<Readonly<Record<string, Secret>>> {
    const secrets = new Map<string, Secret>();
    const prefix = this.#fold(this.#prefix);
    for (const [variable, value] of Object.entries(this.#deps.environment)) {
      const name = variable.slice(prefix.length);
      const wanted = prefix === "" || (name !== "" && this.#fold(variable).startsWith(prefix));
      if (value !== undefined && wanted && isGivenOut(variable)) {
        secrets.set(name, { [name]: value });
      }
    }
    return Object.fromEntries(secrets);
  }

  async close(): Promise<void> {}

  #read(variable: string): string {
    const { environment } = this.#deps;
    const isSet = Object.hasOwn(environment, variable);
    if (!this.#ignoreCase || isSet) {
      return (isSet ? environment[variable] : undefined) ?? "";
    }
    const name = Object.keys(environment).find((each) => this.#fold(each) === this.#fold(variable));
    return name === undefined ? "" : (environment[name] ?? "");
  }

  #fold(name: string): string {
    return this.#ignoreCase ? name.toUpperCase() : name;
  }
}

function isGivenOut(variable: string): boolean {
  const name = variable.toUpperCase();
  return name !== "APP_API_TOKEN" && !name.startsWith("DAPR_");
}
