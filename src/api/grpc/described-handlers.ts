import type { TraceSpan } from "../../kit/trace-context.ts";
import type { ServerCall } from "../../net/grpc/types.ts";
import type { Dapr } from "../../wire/gen/dapr/proto/runtime/v1/dapr_pb.js";
import { describeActorCall, describeComponentCall, describeInvocation, describePublish } from "../span-attributes.ts";
import type { ServiceHandlers } from "./service.ts";

/** What is read of requests, whichever they are. */
interface AnyRequest {
  readonly storeName: string;
  readonly name: string;
  readonly topic: string;
  readonly id: string;
  readonly actorType: string;
  readonly actorId: string;
  readonly method: string;
  readonly message?: { readonly method: string };
}

type Describe = (span: TraceSpan, request: AnyRequest, path: string) => void;

const ofService =
  (describe: Describe): Describe =>
  (span, request, path) => {
    span.set("rpc.service", "Dapr");
    describe(span, request, path);
  };
const state = ofService((span, { storeName }, path) => describeComponentCall(span, "state", storeName, path));
const secret = ofService((span, { storeName }, path) => describeComponentCall(span, "secrets", storeName, path));
const publish = ofService((span, { topic }) => describePublish(span, topic));
const conversation: Describe = (span, { name }) => span.set("rpc.system", name);

/** Methods whose requests Dapr says something of, by their names in lower camel case. */
const DESCRIPTIONS: Readonly<Record<string, Describe>> = {
  invokeService: (span, { id, message }) => describeInvocation(span, id, message?.method ?? ""),
  publishEvent: publish,
  bulkPublishEvent: publish,
  bulkPublishEventAlpha1: publish,
  invokeBinding: ofService((span, { name }, path) => describeComponentCall(span, "bindings", name, path)),
  getState: state,
  getBulkState: state,
  saveState: state,
  deleteState: state,
  getSecret: secret,
  getBulkSecret: secret,
  invokeActor: (span, { actorType, actorId, method }) => describeActorCall(span, actorType, actorId, method),
  converseAlpha1: conversation,
  converseAlpha2: conversation,
};

/** The handlers with spans that say what was asked for; only where calls are traced, so that nobody else pays for it. */
export function describedHandlers(handlers: Partial<ServiceHandlers<typeof Dapr>>): typeof handlers {
  const described = { ...handlers } as Record<string, unknown>;
  for (const name of Object.keys(described)) {
    const describe = DESCRIPTIONS[name];
    const handler = described[name] as ((request: AnyRequest, call: ServerCall) => unknown) | undefined;
    if (describe !== undefined && handler !== undefined) {
      described[name] = (request: AnyRequest, call: ServerCall): unknown => {
        if (call.trace?.recording === true) {
          describe(call.trace, request, call.path);
        }
        return handler(request, call);
      };
    }
  }
  return described;
}
