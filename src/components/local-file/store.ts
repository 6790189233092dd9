import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";
import { decodeMetadata } from "../spi/metadata.ts";
import type { Secret, SecretStore } from "../spi/secret-store.ts";
import { localFileFields } from "./manifest.ts";

const MULTIPLE_KEY_VALUES = "MULTIPLE_KEY_VALUES_PER_SECRET";

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export function createLocalFileStore(deps: ComponentDeps): SecretStore {
  return new LocalFileStore(deps);
}

/** Reads the file once, at `init`; secrets are flattened to paths (`redis:password`, `list:0`). */
class LocalFileStore implements SecretStore {
  capabilities: readonly string[] = [];
  readonly #deps: ComponentDeps;
  readonly #secrets = new Map<string, Secret>();

  constructor(deps: ComponentDeps) {
    this.#deps = deps;
  }

  async init(metadata: ComponentMetadata): Promise<void> {
    const options = decodeMetadata(localFileFields, metadata, {
      component: this.#deps.name,
      logger: this.#deps.logger,
    });
    const content = await readSecretsFile(inDirectory(this.#deps.directory, options.secretsFile));
    this.capabilities = options.multiValued ? [MULTIPLE_KEY_VALUES] : [];
    if (options.multiValued) {
      this.#loadMultiValued(content, options.nestedSeparator);
    } else {
      for (const [path, value] of flatten(content, options.nestedSeparator)) {
        this.#secrets.set(path, { [path]: value });
      }
    }
  }

  async getSecret(name: string): Promise<Secret> {
    const secret = this.#secrets.get(name);
    if (secret === undefined) {
      throw new ComponentError("notFound", `secret ${name} not found`, { facts: { secret: name } });
    }
    return secret;
  }

  async bulkGetSecret(): Promise<Readonly<Record<string, Secret>>> {
    return Object.fromEntries(this.#secrets);
  }

  async close(): Promise<void> {
    this.#secrets.clear();
  }

  /** Only strings and objects at the top are secrets here. */
  #loadMultiValued(content: Readonly<Record<string, Json>>, separator: string): void {
    for (const [name, value] of Object.entries(content)) {
      if (typeof value === "string") {
        this.#secrets.set(name, { [name]: value });
      } else if (isObject(value)) {
        this.#secrets.set(name, Object.fromEntries(flatten(value, separator)));
      }
    }
  }
}

/** The path as it is written, for errors, unless a relative one starts elsewhere than where the process runs. */
function inDirectory(directory: string | undefined, path: string): string {
  return directory === undefined ? path : resolve(directory, path);
}

async function readSecretsFile(path: string): Promise<Readonly<Record<string, Json>>> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    const missing = (cause as { readonly code?: unknown }).code === "ENOENT";
    throw new ComponentError(
      "unavailable",
      missing ? `open ${path}: no such file or directory` : `open ${path}: ${String(cause)}`,
      { cause, facts: { path } },
    );
  }
  let content: Json;
  try {
    content = JSON.parse(text) as Json;
  } catch (cause) {
    throw new ComponentError("invalidMetadata", `the secrets file ${path} is not valid JSON`, {
      cause,
      facts: { path },
    });
  }
  if (content !== null && !isObject(content)) {
    throw new ComponentError("invalidMetadata", `the secrets file ${path} must hold a JSON object`, {
      facts: { path },
    });
  }
  return content ?? {};
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Path and text of every value below. Where two paths come out the same, the first counts. */
function flatten(content: Json, separator: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  const visit = (value: Json, path: string): void => {
    if (typeof value === "object" && value !== null) {
      for (const [key, below] of Object.entries(value)) {
        visit(below, path === "" ? key : `${path}${separator}${key}`);
      }
    } else if (!values.has(path)) {
      values.set(path, value === null ? "" : String(value));
    }
  };
  visit(content, "");
  return values;
}
