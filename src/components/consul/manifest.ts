import type { ComponentManifest, MetadataField } from "../spi/component.ts";
import type { NameResolver } from "../spi/name-resolution.ts";

const json = (name: string, description: string) => ({ name, kind: "string", description }) as const;

/** The configuration of the resolver `consul`, as in components-contrib; what lies below a field is in `shapes.ts`. */
export const CONSUL_FIELDS = [
  {
    ...json(
      "client",
      "How the agent is reached: address, scheme, datacenter, httpAuth, token, tokenFile, waitTime, tlsConfig. What is not said comes from the environment (CONSUL_HTTP_ADDR and its kin), then is http://127.0.0.1:8500.",
    ),
    sensitive: true,
  },
  { name: "selfRegister", kind: "boolean", default: "false", description: "Registers the sidecar with the agent." },
  {
    name: "selfDeregister",
    kind: "boolean",
    default: "false",
    description: "Takes the registration out when the sidecar stops.",
  },
  {
    name: "useCache",
    kind: "boolean",
    default: "false",
    description: "Keeps the instances of every app that is called, and follows their health by blocking queries.",
  },
  {
    name: "daprPortMetaKey",
    kind: "string",
    default: "DAPR_PORT",
    description: "Key of a service's meta under which its sidecar's internal port stands.",
  },
  json(
    "checks",
    "Health checks of the registration; without any the agent asks the sidecar's health every 15 seconds.",
  ),
  json("tags", "Tags of the registration."),
  json("meta", "Meta of the registration, to which the sidecar's port is added."),
  {
    ...json(
      "queryOptions",
      "How the agent is asked for instances: datacenter, filter, near, useCache, allowStale, token and others.",
    ),
    sensitive: true,
  },
  json("advancedRegistration", "A whole registration in the agent's own form, in place of checks, tags and meta."),
] as const satisfies readonly MetadataField[];

/** `consul`: sidecars register with HashiCorp Consul's agents and ask them for the healthy ones (contrib `nameresolution/hashicorp/consul`). */
export const consulManifest: ComponentManifest<NameResolver> = {
  family: "nameresolution",
  type: "nameresolution.hashicorp.consul",
  aliases: ["nameresolution.consul"],
  versions: [{ version: "v1", stability: "alpha" }],
  capabilities: [],
  metadata: CONSUL_FIELDS,
  load: async () => (await import("./resolver.ts")).createConsulNameResolver,
};
