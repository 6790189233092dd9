import type { lockErrors } from "../catalogue/lock.ts";
import { help, type HelpOf } from "./error-help.ts";

export const lockHelp: HelpOf<typeof lockErrors> = {
  storesNotConfigured: help(
    "This sidecar has no lock store at all.",
    "Check that `--resources-path` names the folder of the component's file and that its `scopes` name this app.",
  ),
  storeNotFound: help(
    "There are lock stores, but none of that name.",
    "Compare the name with `metadata.name` of the component, and its `scopes` with this app's id.",
  ),
  resourceEmpty: help("The request does not say what to lock.", "Send `resourceId`."),
  ownerEmpty: help("The request does not say for whom to lock.", "Send `lockOwner`, another one for each holder."),
  expiryNotPositive: help(
    "A lock needs a time after which it is free again, even when its holder has died.",
    "Send `expiryInSeconds`, 1 or more.",
  ),
  tryLock: help(
    "The lock store could not be asked. Whether somebody else holds the lock is not known.",
    "Read the reason; check the store. A lock that somebody else holds is no error: the answer says `success: false`.",
  ),
  unlock: help(
    "The lock store could not be asked to release the lock. It is free after its expiry at the latest.",
    "Read the reason and check the store; repeat it.",
  ),
};
