import { errorMessage } from "../kit/error-message.ts";
import type { ClusterAccess } from "./cluster-access.ts";
import { readKubeconfig } from "./kubeconfig.ts";
import { readSmallFile } from "./small-file.ts";

const ACCOUNT_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount";

/**
 * The access of a pod by its service account, or else that of a kubeconfig's current context: the order in which Dapr's
 * services look.
 * @param kubeconfig a file; empty for none
 * @throws Error naming both ways when neither leads anywhere
 */
export async function findClusterAccess(
  kubeconfig: string,
  environment: Readonly<Record<string, string | undefined>>,
  accountFolder: string = ACCOUNT_FOLDER,
): Promise<ClusterAccess> {
  let why: string;
  try {
    return await inClusterAccess(environment, accountFolder);
  } catch (error) {
    why = errorMessage(error);
  }
  if (kubeconfig === "") {
    throw new Error(`no access to a Kubernetes cluster: ${why}; and there is no kubeconfig`);
  }
  try {
    return await readKubeconfig(kubeconfig);
  } catch (cause) {
    throw new Error(`no access to a Kubernetes cluster: ${why}; and ${errorMessage(cause)}`, { cause });
  }
}

async function inClusterAccess(
  environment: Readonly<Record<string, string | undefined>>,
  folder: string,
): Promise<ClusterAccess> {
  const host = environment["KUBERNETES_SERVICE_HOST"] ?? "";
  const port = environment["KUBERNETES_SERVICE_PORT"] ?? "";
  if (host === "" || port === "") {
    throw new Error("this is no pod (KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set)");
  }
  const tokenFile = `${folder}/token`;
  const token = await readSmallFile(tokenFile);
  const ca = await readSmallFile(`${folder}/ca.crt`);
  const namespace = await readSmallFile(`${folder}/namespace`).catch(() => "default");
  return {
    server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
    basePath: "",
    ca,
    serverName: undefined,
    skipsVerification: false,
    clientCertificate: "",
    clientKey: "",
    token: token.trim(),
    tokenFile,
    basic: undefined,
    namespace: namespace.trim(),
  };
}
