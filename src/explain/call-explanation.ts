import { appNames } from "../resiliency/effective-names.ts";
import { isHttpUrl, parseTarget } from "../blocks/invocation/target.ts";
import type { HttpEndpointResource } from "../resources/http-endpoint.ts";
import { type AskedMethod, explainAccess } from "./access-explanation.ts";
import type { Explanation } from "./explanation.ts";
import { explainBuiltIn, explainPolicies } from "./policy-explanation.ts";
import type { Project } from "./project.ts";

/** The namespace of sidecars that have none. */
const DEFAULT_NAMESPACE = "default";

/** Names the resolver of the executable where the Configuration names none. */
const DEFAULT_RESOLVER = "mdns";

/**
 * What becomes of a call: how the target is found, the policy around it, and what access control says where it arrives.
 *
 * @param target app id, `id.namespace`, HTTPEndpoint or URL
 * @param asked undefined: no method was named
 */
export async function explainCall(project: Project, target: string, asked?: AskedMethod): Promise<Explanation> {
  const { policies, places } = project;
  const names = appNames(policies, target);
  const endpoint = project.resources.httpEndpoints.find(({ name }) => name === target);
  const targeted = names.target !== undefined;
  return {
    text: `calls of ${target} by ${project.appId}`,
    below: [
      endpoint === undefined
        ? await explainWay(project, target)
        : { text: `HTTP to ${endpoint.baseUrl}, without name resolution`, from: await placeOfUrl(endpoint, places) },
      ...(endpoint === undefined ? explainRemoteAccess(project, target, asked) : []),
      ...(await explainPolicies(project, names)),
      targeted
        ? { text: "the built-in retries are off, since a target names the app" }
        : {
            text: "built-in retries, only where the other sidecar could not be reached",
            below: await explainBuiltIn(project, "DaprBuiltInServiceRetries"),
          },
      { text: "a streamed body is sent once, whatever the policy says" },
      { text: "an answer of the app is passed on as it is, whatever its status" },
    ],
  };
}

async function explainWay({ appId, namespace, configuration, places }: Project, target: string): Promise<Explanation> {
  if (/^https?:\/\//.test(target)) {
    return { text: `HTTP to ${target}, without name resolution` };
  }
  const own = namespace === "" ? DEFAULT_NAMESPACE : namespace;
  const to = parseTarget(target, own);
  if (to.appId === appId && to.namespace === own) {
    return { text: "it is the app itself: straight to its port" };
  }
  const { component } = configuration.nameResolution;
  const section = configuration.sections.get("nameResolution");
  return {
    text: `to the sidecar of ${to.appId} in namespace ${to.namespace}, found by ${component === "" ? DEFAULT_RESOLVER : component}`,
    from: section === undefined ? "default" : places.text(section),
  };
}

/** An app's own calls and those of HTTP servers are nobody's to refuse. */
function explainRemoteAccess(project: Project, target: string, asked: AskedMethod | undefined): readonly Explanation[] {
  if (isHttpUrl(target)) {
    return [];
  }
  const own = project.namespace === "" ? DEFAULT_NAMESPACE : project.namespace;
  const to = parseTarget(target, own);
  return to.appId === project.appId && to.namespace === own ? [] : explainAccess(project, own, to, asked);
}

function placeOfUrl({ origin }: HttpEndpointResource, places: Project["places"]): Promise<string> {
  return places.of(origin, ["spec", "baseUrl"]);
}
