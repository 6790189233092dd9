import { suggest } from "../kit/distance.ts";
import type { ComponentResource } from "./component.ts";
import type { ConfigurationDocument } from "./configuration-document.ts";
import type { HttpEndpointResource } from "./http-endpoint.ts";
import { otherKinds, resourceKinds, type ResourceKind } from "./kinds.ts";
import type { ResiliencyResource } from "./resiliency.ts";
import { struct, text, type Reading, type Shape } from "./shape.ts";
import type { SubscriptionResource } from "./subscription.ts";
import type { YamlNode } from "./yaml-node.ts";

/** A resource of any kind that files may hold. */
export type AnyResource =
  | { readonly kind: "Component"; readonly resource: ComponentResource }
  | { readonly kind: "Subscription"; readonly resource: SubscriptionResource }
  | { readonly kind: "HTTPEndpoint"; readonly resource: HttpEndpointResource }
  | { readonly kind: "Resiliency"; readonly resource: ResiliencyResource }
  | { readonly kind: "Configuration"; readonly resource: ConfigurationDocument };

/** A document of a kind that the sidecar does not read; the composition root may say so. */
export interface PassedOver {
  readonly kind: string;
  readonly apiVersion: string;
}

const typeMeta = struct({ apiVersion: text, kind: text, metadata: struct({}, { open: true }) }, { open: true });

/**
 * Reads one document as the resource it says it is. Documents of other kinds or versions are passed over as Dapr passes
 * them over, with a hint where the name looks like a slip of the pen.
 * @throws ResourceError for a known kind with a value that does not fit
 */
export function readResource(node: YamlNode, reading: Reading): AnyResource | PassedOver {
  const { apiVersion = "", kind = "" } = typeMeta(node, reading, "");
  if (!isResourceKind(kind)) {
    hintKind(node, kind, apiVersion, reading);
    return { kind, apiVersion };
  }
  const { versions, anyVersion } = resourceKinds[kind];
  const byVersion: Readonly<Record<string, Shape<unknown>>> = versions;
  const shape = Object.hasOwn(byVersion, apiVersion)
    ? byVersion[apiVersion]
    : anyVersion
      ? Object.values(byVersion)[0]
      : undefined;
  if (shape === undefined) {
    reading.report(
      node.place,
      `${kind} with apiVersion "${apiVersion}" is ignored; known: ${Object.keys(versions).join(", ")}`,
    );
    return { kind, apiVersion };
  }
  return { kind, resource: shape(node, reading, "") } as AnyResource;
}

function isResourceKind(kind: string): kind is ResourceKind {
  return Object.hasOwn(resourceKinds, kind);
}

function hintKind(node: YamlNode, kind: string, apiVersion: string, reading: Reading): void {
  const known = [...Object.keys(resourceKinds), ...otherKinds];
  const near = known.includes(kind) ? undefined : suggest(kind, known);
  if (near !== undefined && apiVersion.startsWith("dapr.io/")) {
    reading.report(node.place, `unknown kind "${kind}" is ignored; did you mean "${near}"?`);
  }
}
