import type { commonErrors } from "../catalogue/common.ts";
import { help, type HelpOf } from "./error-help.ts";

export const commonHelp: HelpOf<typeof commonErrors> = {
  badRequest: help(
    "A parameter of the path, the query or a header cannot be understood. The reason names it.",
    "Correct what the reason names.",
  ),
  unimplemented: help(
    "The route or method exists in Dapr but not in this sidecar, or not in this release.",
    "Look for it in docs/compatibility.md.",
    "Check the version in the path: `v1.0`, `v1.0-alpha1`, `v1.0-beta1`.",
  ),
  bodyRead: help(
    "The body of a request ended before it was complete: the client hung up, or a proxy in between did.",
    "Compare the client's timeout with the time that the body takes.",
    "Check `Content-Length`: it must be the length in bytes, not in characters.",
  ),
  malformedRequest: help(
    "The body is no JSON, or not of the shape that the route wants. The reason says where it goes wrong.",
    "Print the body as it is sent. A client that takes a string for JSON sends it with quotes inside quotes.",
    "Check the shape in Dapr's API reference: lists are easily sent as single objects.",
  ),
  bodyTooLarge: help(
    "The body is larger than the sidecar accepts.",
    "Raise `--max-body-size` (or the annotation `dapr.io/max-body-size`); it counts for HTTP and gRPC.",
    "Keep large things in a store and send where they are.",
  ),
  unauthorized: help(
    "The sidecar wants an API token (`DAPR_API_TOKEN`) and the request had none or another one.",
    "Send it as the header `dapr-api-token`; SDKs take it from the environment variable `DAPR_API_TOKEN` of the app.",
    "After a change of the token, restart both the sidecar and the app.",
  ),
  endpointDenied: help(
    "The Configuration's `spec.api` lists which APIs are allowed or denied, and this one is not served.",
    "Add the API to `spec.api.allowed`, or take it out of `spec.api.denied`: name, version and protocol must fit.",
  ),
  internal: help(
    "Something failed that no other error describes. The sidecar's log has it with its stack.",
    "Look into the sidecar's log at the time of the request.",
    "Report it with that log: this error is a fault of the runtime.",
  ),
};
