import { componentNames } from "../resiliency/effective-names.ts";
import type { ComponentManifest, MetadataField } from "../components/spi/component.ts";
import type { Registry } from "../inventory/registry.ts";
import { formatGoDuration } from "../kit/duration.ts";
import { hideUserInfo } from "../kit/hidden-user-info.ts";
import type { ComponentPolicyType } from "../resiliency/types.ts";
import { COMPONENT_INIT_TIMEOUT_MS, type ComponentResource } from "../resources/component.ts";
import type { Explanation } from "./explanation.ts";
import { explainPolicies } from "./policy-explanation.ts";
import type { Project } from "./project.ts";

/** The words of default policy names, by family. */
const POLICY_TYPES: Readonly<Record<string, ComponentPolicyType>> = {
  state: "Statestore",
  pubsub: "Pubsub",
  bindings: "Binding",
  secretstores: "Secretstore",
  configuration: "Configuration",
  lock: "Lock",
  crypto: "Crypto",
  conversation: "Conversation",
};

/** Families whose components also call the app. */
const CALLING_FAMILIES: ReadonlySet<string> = new Set(["pubsub", "bindings"]);

/** What becomes of one component: how it is loaded, its fields with their defaults, and the policies of its calls. */
export async function explainComponent(
  project: Project,
  resource: ComponentResource,
  registry: Registry,
): Promise<Explanation> {
  const { places } = project;
  const { origin } = resource;
  const found = registry.find(resource.type, resource.version);
  return {
    text: `component ${resource.logName}`,
    from: await places.of(origin, ["metadata", "name"]),
    below: [
      ...(found === undefined
        ? [{ text: `there is no such type here`, from: await places.of(origin, ["spec", "type"]) }]
        : []),
      {
        text: resource.ignoreErrors
          ? "when it does not come up: the sidecar runs on and tries again"
          : "when it does not come up: the sidecar ends with exit code 1",
        from: resource.ignoreErrors ? await places.of(origin, ["spec", "ignoreErrors"]) : "default",
      },
      {
        text: `init may take ${formatGoDuration(resource.initTimeoutMs)}`,
        from:
          resource.initTimeoutMs === COMPONENT_INIT_TIMEOUT_MS
            ? "default"
            : await places.of(origin, ["spec", "initTimeout"]),
      },
      { text: "fields", below: await explainFields(project, resource, found?.manifest) },
      ...(await explainDirections(project, resource)),
    ],
  };
}

/** Policies around calls of the component and, for brokers and bindings, around what they bring to the app. */
async function explainDirections(project: Project, { name, type }: ComponentResource): Promise<readonly Explanation[]> {
  const family = type.slice(0, type.indexOf("."));
  const policyType = POLICY_TYPES[family];
  if (policyType === undefined) {
    return [];
  }
  const outbound = componentNames(project.policies, name, policyType, "outbound");
  const inbound = componentNames(project.policies, name, policyType, "inbound");
  return [
    { text: "calls of it (outbound)", below: await explainPolicies(project, outbound) },
    ...(CALLING_FAMILIES.has(family)
      ? [{ text: "what it brings to the app (inbound)", below: await explainPolicies(project, inbound) }]
      : []),
  ];
}

const SECRET_NAME = /pas+|pwd|secret|token|credential|connectionstring|key(?!prefix)/i;

/** Every field that was written, and those with a default that were not. Values of sensitive fields are not told. */
export async function explainFields(
  { places }: Project,
  { metadata, origin }: ComponentResource,
  manifest: ComponentManifest | undefined,
): Promise<readonly Explanation[]> {
  const fields = manifest?.metadata ?? [];
  const written = await Promise.all(
    metadata.map(async (pair, index): Promise<Explanation> => {
      const field = fieldOf(fields, pair.name);
      const secret = pair.secretKeyRef;
      const value =
        secret !== undefined
          ? `secret ${secret.name}/${secret.key}`
          : pair.envRef !== ""
            ? `environment ${pair.envRef}`
            : isSecret(field, pair.name)
              ? "(not shown)"
              : hideUserInfo(pair.value ?? "");
      const unknown = manifest !== undefined && field === undefined ? " (not a field of this type)" : "";
      return { text: `${pair.name}: ${value}${unknown}`, from: await places.of(origin, ["spec", "metadata", index]) };
    }),
  );
  const defaults = fields
    .filter(
      (field) => field.default !== undefined && !metadata.some(({ name }) => fieldOf([field], name) !== undefined),
    )
    .map((field) => ({ text: `${field.name}: ${field.default}`, from: "default" }));
  return [...written, ...defaults];
}

/** Of fields that no manifest has, the name has to do. */
function isSecret(field: MetadataField | undefined, name: string): boolean {
  return field === undefined ? SECRET_NAME.test(name) : field.sensitive === true;
}

function fieldOf(fields: readonly MetadataField[], name: string): MetadataField | undefined {
  const wanted = name.toLowerCase();
  return fields.find((field) => [field.name, ...(field.aliases ?? [])].some((each) => each.toLowerCase() === wanted));
}
