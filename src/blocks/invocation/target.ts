import type { InvocationTarget } from "../../mesh/target.ts";

/** Whether a target is the URL of an HTTP server rather than the id of an app. */
export function isHttpUrl(target: string): boolean {
  return target.startsWith("http://") || target.startsWith("https://");
}

/**
 * Reads `id` or `id.namespace`; without a namespace it is the caller's own.
 *
 * @throws Error with Dapr's text for an empty id or one with more dots
 */
export function parseTarget(text: string, ownNamespace: string): InvocationTarget {
  if (text === "") {
    throw new Error("app id is empty");
  }
  const dot = text.indexOf(".");
  if (dot === -1) {
    return { appId: text, namespace: ownNamespace };
  }
  if (text.includes(".", dot + 1)) {
    throw new Error(`invalid app id ${text}`);
  }
  return { appId: text.slice(0, dot), namespace: text.slice(dot + 1) };
}
