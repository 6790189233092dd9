import { ResourceError } from "./error.ts";
import type { Resource } from "./resource.ts";
import { list, struct, text } from "./shape.ts";
import type { StructOf } from "./shape.ts";
import type { YamlNode } from "./yaml-node.ts";

/** The fields that every kind has besides its own. `metadata` is Kubernetes' and may hold more than Dapr reads. */
export const objectFields = {
  apiVersion: text,
  kind: text,
  metadata: struct({ name: text, namespace: text }, { open: true }),
  scopes: list(text),
} as const;

/** @throws ResourceError for a name that Kubernetes would not take as part of a path (k8s.io/apimachinery path validation) */
export function toResource(written: StructOf<typeof objectFields>, node: YamlNode): Resource {
  const name = written.metadata?.name ?? "";
  const fault = nameFault(name);
  if (fault !== undefined) {
    throw new ResourceError(
      node.place,
      `invalid name ${JSON.stringify(name)} for ${JSON.stringify(written.kind ?? "")}: ${fault}`,
    );
  }
  return {
    name,
    namespace: written.metadata?.namespace ?? "",
    scopes: written.scopes ?? [],
    origin: { file: node.place.file, line: node.place.line },
  };
}

function nameFault(name: string): string | undefined {
  if (name === "." || name === "..") {
    return `may not be '${name}'`;
  }
  const faults = ["/", "%"]
    .filter((character) => name.includes(character))
    .map((character) => `may not contain '${character}'`);
  return faults.length === 0 ? undefined : faults.join("; ");
}
