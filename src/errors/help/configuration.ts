import type { configurationErrors } from "../catalogue/configuration.ts";
import { help, type HelpOf } from "./error-help.ts";

export const configurationHelp: HelpOf<typeof configurationErrors> = {
  storesNotConfigured: help(
    "This sidecar has no configuration store at all.",
    "Check that `--resources-path` names the folder of the component's file and that its `scopes` name this app.",
    "Look for a failed component in the log of the start.",
  ),
  storeNotFound: help(
    "There are configuration stores, but none of that name.",
    "Compare the name with `metadata.name` of the component, and its `scopes` with this app's id.",
  ),
  get: help(
    "The configuration store could not be read.",
    "Read the reason; then check the store itself and its condition under `GET /outrigger/v1/components`.",
  ),
  subscribe: help(
    "The configuration store cannot be followed: it does not send changes, or its connection is lost.",
    "Read the reason. Redis needs `notify-keyspace-events`; PostgreSQL needs the trigger of the component's documentation.",
  ),
  unsubscribe: help(
    "There is no subscription of that id any more, or the store did not end it.",
    "Use the id that the subscription was answered with. After a restart of the sidecar there are none left.",
  ),
  appChannelMissing: help(
    "Changes are delivered to the app, and this sidecar has none.",
    "Start the sidecar with `--app-port`, or subscribe over gRPC, where changes come on the stream.",
  ),
};
