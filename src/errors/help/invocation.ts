import type { invocationErrors } from "../catalogue/invocation.ts";
import { help, type HelpOf } from "./error-help.ts";

export const invocationHelp: HelpOf<typeof invocationErrors> = {
  directInvoke: help(
    "The call did not reach the other app: its id cannot be resolved, its sidecar cannot be reached, access control denied it, or a resiliency policy gave up. The reason is at the end of the text.",
    "`failed to resolve address`: the app's sidecar does not run, has another id or namespace, or mDNS does not pass between the hosts.",
    "`context deadline exceeded` or `timeout`: the callee is slow; compare with the policy's timeout.",
    "`circuit breaker is open`: earlier calls failed; it lets one through again after its `timeout`.",
  ),
  noAppId: help(
    "A request for another app names none.",
    "Use `/v1.0/invoke/<app-id>/method/<method>`, or send the header `dapr-app-id`.",
  ),
  malformedResponse: help(
    "The other app answered with something that cannot be passed on as HTTP.",
    "Call the app without its sidecar and look at status, headers and body.",
  ),
  channelNotFound: help(
    "The sidecar that was called has no app.",
    "Start it with `--app-port`; check that the app's id is the one that you mean.",
  ),
  channelInvoke: help(
    "The sidecar of the called app could not reach the app, or the app broke the connection.",
    "Check that the app runs and listens on the port of `--app-port`, on the address of `--app-channel-address`.",
    "Check `--app-protocol`: `http`, `h2c`, `https`, `grpc` or `grpcs`.",
  ),
  internalRequest: help(
    "A sidecar sent a call that this one cannot understand.",
    "Check that only sidecars connect to the internal gRPC port, and that no proxy changes what passes.",
  ),
  accessDenied: help(
    "The access control of the called app does not let this caller use that path with that verb. Over HTTP the caller reads it as the reason of a failed call.",
    "Add the caller to `spec.accessControl.policies` of the called app's Configuration: app id, namespace and trust domain must fit, and the operation's path and verb.",
    "Without mTLS nobody has an identity, and `defaultAction` counts for everybody: check that both sidecars use it.",
  ),
  invalidMethod: help(
    "The method's path cannot be brought into its canonical form, so no policy could be applied to it.",
    "Send the path percent-encoded once, without control characters and without `..` that leads out of it.",
  ),
  proxy: help(
    "A gRPC call on its way to another app failed. The reason is the one that the peer or the connection gave.",
    "Read the reason; then look into the log of the called app's sidecar.",
    "Start both sidecars with `--app-protocol grpc` where the app speaks gRPC.",
  ),
  proxyNoTarget: help(
    "A gRPC method that the sidecar does not serve itself came without the id of the app that it is for.",
    "Send the app's id as the metadata `dapr-app-id`.",
    "If it was meant for the sidecar: check package, service and method name.",
  ),
  proxyNoApp: help(
    "A gRPC call arrived at a sidecar that has no app behind it.",
    "Start the sidecar with `--app-port` and `--app-protocol grpc`.",
  ),
  proxyOtherApp: help(
    "A gRPC call came to the sidecar of another app than the one that it names: the caller has an old address, as a rule.",
    "Repeat the call. If it stays, look for two sidecars with one id, or for a name resolver with stale entries.",
  ),
  proxyStreamRetries: help(
    "A retry policy applies to the app, and the call is a stream, which cannot be sent a second time.",
    "Take the retries out of `targets.apps` for that app; timeouts and circuit breakers may stay.",
  ),
};
