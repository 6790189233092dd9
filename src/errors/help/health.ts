import type { healthErrors } from "../catalogue/health.ts";
import { help, type HelpOf } from "./error-help.ts";

export const healthHelp: HelpOf<typeof healthErrors> = {
  notReady: help(
    "The sidecar is not ready yet; the text lists what it still waits for. A sidecar with `--app-port` waits for its app to listen.",
    "Wait for it with `outrigger wait` or a readiness probe rather than with a pause.",
    "`app`: check that the app listens on the port of `--app-port`. `grpc-api-server` and others: look into the log.",
  ),
  outboundNotReady: help(
    "The sidecar cannot serve calls of its app yet: components are still being loaded.",
    "Wait until `GET /v1.0/healthz/outbound` answers with 204, then use components.",
    "Look at `GET /outrigger/v1/components` for one that is `waiting` or `failed`.",
  ),
  appIdNotMatch: help(
    "The sidecar that was asked for its health is the one of another app: an address that was reused, as a rule.",
    "Let the caller look the app's address up again.",
    "Check that two apps do not share a port.",
  ),
};
