import { jsonToGoText, nodeToJson } from "./json-value.ts";
import { objectFields, toResource } from "./object.ts";
import type { Resource } from "./resource.ts";
import { type Shape, struct } from "./shape.ts";

/**
 * A `kind: Configuration` that lies among the resources. Only files that are named as Configuration count
 * (`configuration.ts`); it is read to notice that one of those has changed.
 */
export interface ConfigurationDocument extends Resource {
  /** All of it in one form, whatever its layout. */
  readonly text: string;
}

const shape = struct(objectFields, { open: true });

export const configurationDocument: Shape<ConfigurationDocument> = (node, reading, path) => ({
  ...toResource(shape(node, reading, path), node),
  text: jsonToGoText(nodeToJson(node, reading.dialect)),
});
