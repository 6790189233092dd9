import type { conversationErrors } from "../catalogue/conversation.ts";
import { help, type HelpOf } from "./error-help.ts";

export const conversationHelp: HelpOf<typeof conversationErrors> = {
  notFound: help(
    "No component for conversations has that name in this sidecar.",
    "Compare the name with `metadata.name` of the component, and its `scopes` with this app's id.",
  ),
  invalidParams: help(
    "A parameter of the request has a type or value that the model's component does not take.",
    "The reason names the parameter: correct it or leave it out.",
  ),
  missingInputs: help(
    "The request has no input, so there is nothing to ask the model.",
    "Send at least one input with at least one message.",
  ),
  invoke: help(
    "The provider of the model refused the request or did not answer.",
    "Read the reason: keys, quotas, unknown models and filters are told by the provider there.",
    "Give the component a resiliency policy for answers that are slow or limited.",
  ),
};
