import type { ComponentManifest } from "../components/spi/component.ts";
import { suggest } from "../kit/distance.ts";

/** What the first segment of a type is called in Dapr's error for a type that nobody knows. */
const FAMILY_NOUNS: ReadonlyMap<string, string> = new Map([
  ["state", "state store"],
  ["pubsub", "message bus"],
  ["secretstores", "secret store"],
  ["configuration", "configuration store"],
  ["lock", "lock store"],
  ["crypto", "crypto provider"],
  ["conversation", "conversation"],
  ["bindings", "binding"],
  ["middleware", "HTTP middleware"],
]);

/** Versions that mean a type's first: unstable, first stable, and none written. */
const INITIAL_VERSIONS: ReadonlySet<string> = new Set(["", "v0", "v1"]);

export interface FoundManifest {
  readonly manifest: ComponentManifest;
  /** As written, or the version that an empty one stands for. */
  readonly version: string;
}

/** The component types that the composition root brought, by type, alias and version. */
export class Registry {
  readonly #byType = new Map<string, ComponentManifest[]>();

  constructor(manifests: readonly ComponentManifest[]) {
    for (const manifest of manifests) {
      for (const type of [manifest.type, ...(manifest.aliases ?? [])]) {
        const key = type.toLowerCase();
        const sameType = this.#byType.get(key);
        if (sameType === undefined) {
          this.#byType.set(key, [manifest]);
        } else {
          sameType.push(manifest);
        }
      }
    }
  }

  /** Types and versions are matched without case. A type may have one manifest per version. */
  find(type: string, version: string): FoundManifest | undefined {
    const candidates = this.#byType.get(type.toLowerCase()) ?? [];
    const wanted = version.toLowerCase();
    const exact = candidates.find((manifest) => manifest.versions.some((each) => each.version === wanted));
    if (exact !== undefined) {
      return { manifest: exact, version };
    }
    const initial = INITIAL_VERSIONS.has(wanted)
      ? candidates.find((manifest) => manifest.versions.some((each) => INITIAL_VERSIONS.has(each.version)))
      : undefined;
    const first = initial?.versions.find((each) => INITIAL_VERSIONS.has(each.version));
    return initial === undefined || first === undefined
      ? undefined
      : { manifest: initial, version: version === "" ? first.version : version };
  }

  /** The known type that was most likely meant. */
  suggest(type: string): string | undefined {
    return suggest(type, this.#byType.keys());
  }
}

/** Whether Dapr has components of the type's first segment at all; others are an `incorrect type`. */
export function isComponentType(type: string): boolean {
  return FAMILY_NOUNS.has(familyOf(type));
}

/** Dapr's text for a type or version that is not there. */
export function unknownTypeText(type: string, version: string, logName: string): string {
  const family = familyOf(type);
  const name = `${type}/${version}`;
  if (family === "middleware") {
    return `HTTP middleware ${name} has not been registered`;
  }
  return family === "bindings"
    ? `couldn't find binding ${logName}`
    : `couldn't find ${FAMILY_NOUNS.get(family) ?? "component"} ${name}`;
}

function familyOf(type: string): string {
  const dot = type.indexOf(".");
  return dot === -1 ? "" : type.slice(0, dot);
}
