import type { MetadataField } from "../spi/component.ts";

/** etcd's own default of `--max-txn-ops`. */
const OPERATIONS_MAX = "128";

/** Metadata of `state.etcd` (components-contrib state/etcd). */
export const ETCD_STATE_FIELDS = [
  {
    name: "endpoints",
    kind: "string",
    required: true,
    missingText: "initializing etcd client: endpoints required",
    description: "Addresses of the cluster's members, separated by commas.",
  },
  {
    name: "keyPrefixPath",
    kind: "string",
    default: "",
    description: "Stands before every key, with a slash between them.",
  },
  { name: "tlsEnable", kind: "boolean", default: "false", description: "Whether to speak TLS to the members." },
  { name: "ca", kind: "string", description: "The members' certificate authority, PEM." },
  { name: "cert", kind: "string", description: "The client's certificate, PEM." },
  { name: "key", kind: "string", sensitive: true, description: "The key of the client's certificate, PEM." },
  {
    name: "maxTxnOps",
    kind: "integer",
    default: OPERATIONS_MAX,
    description: "Most operations of one transaction; the members' --max-txn-ops.",
  },
] as const satisfies readonly MetadataField[];
