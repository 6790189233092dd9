/** A kind of objects, and where the API has it. */
export interface ResourceKind {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  /** As paths have it: `secrets`. */
  readonly plural: string;
  readonly kind: string;
  /** False: it has no namespaces. */
  readonly namespaced: boolean;
}

export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly resourceVersion?: string;
  readonly uid?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What every object has; what comes beside it is the kind's own. */
export interface KubernetesObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
}

export interface ObjectList<T extends KubernetesObject> {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  /** Null where a server written in Go has none. */
  readonly items: readonly T[] | null;
}

export interface WatchEvent<T extends KubernetesObject> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  readonly object: T;
}

export interface Secret extends KubernetesObject {
  /** Values in base64. */
  readonly data?: Readonly<Record<string, string>>;
}

export interface ConfigMap extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>;
}

export interface Pod extends KubernetesObject {
  readonly spec?: { readonly serviceAccountName?: string };
}

export const SECRETS = core("secrets", "Secret");
export const CONFIG_MAPS = core("configmaps", "ConfigMap");
export const PODS = core("pods", "Pod");
export const TOKEN_REVIEWS: ResourceKind = {
  group: "authentication.k8s.io",
  version: "v1",
  plural: "tokenreviews",
  kind: "TokenReview",
  namespaced: false,
};
export const CONFIGURATIONS: ResourceKind = {
  group: "dapr.io",
  version: "v1alpha1",
  plural: "configurations",
  kind: "Configuration",
  namespaced: true,
};

function core(plural: string, kind: string): ResourceKind {
  return { group: "", version: "v1", plural, kind, namespaced: true };
}

/** The path of a kind's objects, or of one. @throws Error for a name that would lead elsewhere */
export function resourcePath(kind: ResourceKind, namespace: string | undefined, name?: string): string {
  const api = kind.group === "" ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  const inNamespace = kind.namespaced && namespace !== undefined ? `/namespaces/${segment(namespace)}` : "";
  return `${api}${inNamespace}/${kind.plural}${name === undefined ? "" : `/${segment(name)}`}`;
}

/** What names of Kubernetes are made of (RFC 1123), whatever the kind; never a dot segment, a slash or an escape. */
function segment(text: string): string {
  if (!/^[A-Za-z0-9](?:[A-Za-z0-9._:-]{0,252})$/.test(text)) {
    throw new Error(`${JSON.stringify(text.slice(0, 64))} is no name that Kubernetes has`);
  }
  return encodeURIComponent(text);
}
