import type { Component, ComponentDeps, ComponentManifest, ComponentMetadata } from "../components/spi/component.ts";
import { ComponentError, type ComponentErrorKind } from "../components/spi/errors.ts";
import type { Logger } from "../kit/logger.ts";
import type { ComponentResource } from "../resources/component.ts";
import { errorText, initFailureText, StartError, type InitFailure } from "./errors.ts";
import { secretHider } from "./hidden-secrets.ts";
import {
  fillTemplates,
  isNamespaceScoped,
  type ReferencedMetadata,
  type ResolverOptions,
} from "./metadata-resolver.ts";
import type { InventoryOptions } from "./options.ts";
import { Registry, unknownTypeText } from "./registry.ts";
import type { Loaded } from "./types.ts";

/** What `init` itself said, or why it was given up. */
class InitError extends Error {
  /** Its time was up by then. */
  readonly late: boolean;

  constructor(cause: unknown, late: boolean) {
    super(errorText(cause), { cause });
    this.late = late;
  }
}

/** The metadata field of WebAssembly components that `spec.wasm.strictSandbox` of the Configuration decides for all of them. */
const SANDBOX_FIELD = "strictSandbox";

/** How long closing a component that did not come up may hold up the others, in milliseconds. */
export const CLOSE_MS_MAX = 5_000;

/** Errors of `init` that no further attempt would change. */
const FINAL_KINDS: ReadonlySet<ComponentErrorKind> = new Set(["invalidMetadata", "unsupported"]);

/** Takes one component from its resource to a usable instance: find the type, create, `init` in time, admit. */
export class Starter {
  readonly #options: InventoryOptions;
  readonly #resolver: ResolverOptions;
  readonly #registry: Registry;
  readonly #logger: Logger;

  constructor(options: InventoryOptions, resolver: ResolverOptions, logger: Logger) {
    this.#options = options;
    this.#resolver = resolver;
    this.#registry = new Registry(options.manifests);
    this.#logger = logger;
  }

  /** @throws StartError with Dapr's text of the step that failed; the half-made component has been closed */
  async start(
    resource: ComponentResource,
    referenced: ReferencedMetadata,
    stop: AbortSignal,
    report: ComponentDeps["report"],
  ): Promise<Loaded<Component>> {
    const found = this.#registry.find(resource.type, resource.version);
    if (found === undefined) {
      this.#hintType(resource);
      const cause = new Error(unknownTypeText(resource.type, resource.version, resource.logName));
      throw this.#failure("CREATE_COMPONENT_FAILURE", resource, cause, secretHider(referenced, []));
    }
    const { manifest, version } = found;
    let component: Component | undefined;
    try {
      const create = await manifest.load();
      component = create(this.#depsOf(resource, version, report));
      const metadata = this.#metadataOf(referenced, manifest);
      await this.#initInTime(component, metadata, resource, stop);
      const loaded: Loaded<Component> = {
        name: resource.name,
        manifest,
        version,
        metadata,
        secretNames: referenced.secretNames,
        namespaceScoped: isNamespaceScoped(referenced),
        component,
      };
      this.#options.admit?.(loaded);
      this.#options.observer?.componentInitialized(resource.type);
      return loaded;
    } catch (cause) {
      await this.#closeInTime(component, resource);
      const created = component !== undefined && manifest.family !== "middleware";
      const kind = created ? "INIT_COMPONENT_FAILURE" : "CREATE_COMPONENT_FAILURE";
      throw this.#failure(kind, resource, cause, secretHider(referenced, manifest.metadata));
    }
  }

  #depsOf({ name }: ComponentResource, version: string, report: ComponentDeps["report"]): ComponentDeps {
    const { appId, namespace, logger, clock, random, environment, shared, directory } = this.#options;
    return { name, version, appId, namespace, logger, clock, random, environment, shared, directory, report };
  }

  #metadataOf(referenced: ReferencedMetadata, manifest: ComponentManifest): ComponentMetadata {
    const metadata = fillTemplates(referenced, this.#resolver);
    if (this.#options.strictSandbox === true && manifest.metadata.some(({ name }) => name === SANDBOX_FIELD)) {
      const others = Object.entries(metadata).filter(([name]) => name.toLowerCase() !== SANDBOX_FIELD.toLowerCase());
      return { ...Object.fromEntries(others), [SANDBOX_FIELD]: "true" };
    }
    if (manifest.family !== "pubsub") {
      return metadata;
    }
    return { ...metadata, consumerID: metadata["consumerID"]?.trim() || this.#options.appId };
  }

  async #initInTime(
    component: Component,
    metadata: ComponentMetadata,
    resource: ComponentResource,
    stop: AbortSignal,
  ): Promise<void> {
    const timeout = new AbortController();
    const timer = this.#options.clock.after(resource.initTimeoutMs, () =>
      timeout.abort(new Error("context deadline exceeded")),
    );
    const signal = AbortSignal.any([timeout.signal, stop]);
    try {
      await untilAborted(component.init(metadata, signal), signal);
    } catch (cause) {
      throw new InitError(cause, timeout.signal.aborted);
    } finally {
      timer.cancel();
    }
  }

  /** What hangs in `init` may hang in `close`, too. */
  async #closeInTime(component: Component | undefined, resource: ComponentResource): Promise<void> {
    const limit = Promise.withResolvers<void>();
    const timer = this.#options.clock.after(CLOSE_MS_MAX, () => {
      this.#logger.warn(
        `Component ${resource.logName} did not come up, and has not closed within ${CLOSE_MS_MAX / 1_000}s either`,
      );
      limit.resolve();
    });
    await Promise.race([closeQuietly(component, resource, this.#logger), limit.promise]);
    timer.cancel();
  }

  #failure(kind: InitFailure, resource: ComponentResource, cause: unknown, hide: (text: string) => string): StartError {
    const step = kind === "CREATE_COMPONENT_FAILURE" ? "creation" : "init";
    this.#options.observer?.componentInitFailed(resource.type, step, resource.name);
    const text = hide(initFailureText(kind, resource.logName, stepText(resource, cause)));
    const reason = hide(errorText(cause));
    if (!(cause instanceof InitError)) {
      return new StartError(text, reason, false, cause);
    }
    const late = cause.late ? `\ninit timeout for component ${resource.logName}` : "";
    const isFinal = cause.cause instanceof ComponentError && FINAL_KINDS.has(cause.cause.kind);
    return new StartError(text + late, reason, !isFinal, cause.cause);
  }

  #hintType(resource: ComponentResource): void {
    const near = this.#registry.suggest(resource.type);
    if (near !== undefined && near !== resource.type.toLowerCase()) {
      const { file, line } = resource.origin;
      this.#logger.warn(
        `${file}:${line}: component ${resource.name} has the unknown type "${resource.type}"; did you mean "${near}"?`,
      );
    }
  }
}

/** Middlewares have no step of their own for `init`: Dapr says what they are created for instead. */
function stepText({ name, type, version }: ComponentResource, cause: unknown): string {
  if (!type.startsWith("middleware.")) {
    return errorText(cause);
  }
  const creating = cause instanceof InitError ? `error creating HTTP middleware ${type}/${version}: ` : "";
  return `process component ${name} error: ${creating}${errorText(cause)}`;
}

/** Closes a component; what it throws is logged, since nobody could do anything about it. */
export async function closeQuietly(
  component: Component | undefined,
  resource: ComponentResource,
  logger: Logger,
): Promise<void> {
  try {
    await component?.close();
  } catch (error) {
    logger.error(`Error closing component ${resource.logName}: ${errorText(error)}`);
  }
}

/** Gives up waiting when the signal fires, for back ends that do not heed it. */
function untilAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    if (signal.aborted) {
      onAbort();
      work.catch(() => undefined);
      return;
    }
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
