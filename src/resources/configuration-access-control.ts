import type { AccessControlDocument } from "../security/access-control/document.ts";
import type { WrittenSpec } from "./configuration-shape.ts";
import type { Origin } from "./resource.ts";
import type { YamlEntry, YamlNode } from "./yaml-node.ts";

const DEFAULT_TRUST_DOMAIN = "public";

const NOWHERE: Origin = { file: "", line: 0 };

/**
 * The section with Dapr's defaults: calls are allowed unless `defaultAction` says otherwise, also where there are policies.
 * One that is written as empty stays so, and denies, unless nothing else is written or the list of policies is empty.
 *
 * @param section as written, for the places of its policies
 */
export function toAccessControl(
  written: WrittenSpec["accessControl"],
  section: YamlEntry | undefined,
): AccessControlDocument {
  const policies = below(section?.value, "policies");
  const trustDomain = written?.trustDomain ?? DEFAULT_TRUST_DOMAIN;
  const isNothing = written?.policies === undefined ? trustDomain === "" : written.policies.length === 0;
  const defaultAction = written?.defaultAction ?? "allow";
  return {
    defaultAction: defaultAction === "" && isNothing ? "allow" : defaultAction,
    trustDomain: trustDomain === "" ? DEFAULT_TRUST_DOMAIN : trustDomain,
    policies: (written?.policies ?? []).map((policy, index) => {
      const node = itemOf(policies, index);
      const operations = below(node, "operations");
      return {
        appId: policy.appId ?? "",
        defaultAction: policy.defaultAction ?? "",
        trustDomain: policy.trustDomain ?? "",
        namespace: policy.namespace ?? "",
        operations: (policy.operations ?? []).map(({ name, httpVerb, action }, place) => ({
          name: name ?? "",
          httpVerbs: httpVerb ?? [],
          action: action ?? "",
          origin: originOf(itemOf(operations, place)),
        })),
        origin: originOf(node),
      };
    }),
  };
}

function below(node: YamlNode | undefined, key: string): YamlNode | undefined {
  return node?.kind === "map" ? node.entries.get(key)?.value : undefined;
}

function itemOf(node: YamlNode | undefined, index: number): YamlNode | undefined {
  return node?.kind === "list" ? node.items[index] : undefined;
}

function originOf(node: YamlNode | undefined): Origin {
  return node === undefined ? NOWHERE : { file: node.place.file, line: node.place.line };
}
