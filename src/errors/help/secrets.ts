import type { secretErrors } from "../catalogue/secrets.ts";
import { help, type HelpOf } from "./error-help.ts";

export const secretHelp: HelpOf<typeof secretErrors> = {
  storesNotConfigured: help(
    "This sidecar has no secret store at all.",
    "Check that `--resources-path` names the folder of the component's file and that its `scopes` name this app.",
  ),
  storeNotFound: help(
    "There are secret stores, but none of that name. 401 is Dapr's status for it; it has nothing to do with a token.",
    "Compare the name with `metadata.name` of the component, and its `scopes` with this app's id.",
  ),
  permissionDenied: help(
    "The Configuration's `spec.secrets.scopes` does not allow this app the secret.",
    "Add the secret to `allowedSecrets` of the store, or set `defaultAccess: allow`; `deniedSecrets` wins over both.",
  ),
  get: help(
    "The secret store has no such secret, or could not be asked.",
    "Check the secret's name; a nested one of a file has its parts joined by `nestedSeparator` (`:`).",
    "Check the rights of what the component signs in as.",
  ),
  bulkGet: help(
    "The secrets of the store could not be listed.",
    "Read the reason. Some stores can give single secrets only; see the reference of components.",
  ),
};
