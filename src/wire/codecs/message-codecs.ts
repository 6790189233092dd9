import type { Empty } from "@bufbuild/protobuf/wkt";
import {
  decodeInvokeResponse,
  decodeInvokeServiceRequest,
  encodeInvokeRequest,
  encodeInvokeResponse,
} from "./invoke-codecs.ts";
import { ProtoReader } from "./proto-reader.ts";
import { decodePublishEventRequest } from "./publish-codec.ts";
import { decodeGetStateRequest, decodeSaveStateRequest, encodeGetStateResponse } from "./state-codecs.ts";
import {
  decodeScheduleJobRequest,
  decodeScheduleJobResponse,
  decodeWatchJobsRequest,
  decodeWatchJobsResponse,
  encodeScheduleJobRequest,
  encodeScheduleJobResponse,
  encodeWatchJobsRequest,
  encodeWatchJobsResponse,
} from "./scheduler-codecs.ts";
import { decodeTopicEventResponse, encodeTopicEventRequest } from "./topic-event-codec.ts";

/** What is faster than protobuf-es for one message, in the directions in which a sidecar uses it. */
export interface MessageCodec<T> {
  /** Unknown fields are dropped, bytes are views of what was received. @throws Error */
  readonly decode?: (bytes: Uint8Array) => T;
  /** @throws Error */
  readonly encode?: (message: T) => Uint8Array;
}

/**
 * Codecs of the hottest messages by their full names. They make and take the same message objects as protobuf-es, with two
 * differences in what they refuse: a known field of another wire type is an unknown one (as in Go; protobuf-es misreads
 * it), and a nested message that runs beyond the one around it is an error.
 */
export const messageCodecs: ReadonlyMap<string, MessageCodec<never>> = new Map([
  codec("google.protobuf.Empty", { decode: decodeEmpty, encode: encodeEmpty }),
  codec("dapr.proto.runtime.v1.GetStateRequest", { decode: decodeGetStateRequest }),
  codec("dapr.proto.runtime.v1.GetStateResponse", { encode: encodeGetStateResponse }),
  codec("dapr.proto.runtime.v1.SaveStateRequest", { decode: decodeSaveStateRequest }),
  codec("dapr.proto.runtime.v1.PublishEventRequest", { decode: decodePublishEventRequest }),
  codec("dapr.proto.runtime.v1.InvokeServiceRequest", { decode: decodeInvokeServiceRequest }),
  codec("dapr.proto.common.v1.InvokeRequest", { encode: encodeInvokeRequest }),
  codec("dapr.proto.common.v1.InvokeResponse", { decode: decodeInvokeResponse, encode: encodeInvokeResponse }),
  codec("dapr.proto.runtime.v1.TopicEventRequest", { encode: encodeTopicEventRequest }),
  codec("dapr.proto.runtime.v1.TopicEventResponse", { decode: decodeTopicEventResponse }),
  codec("dapr.proto.scheduler.v1.ScheduleJobRequest", {
    decode: decodeScheduleJobRequest,
    encode: encodeScheduleJobRequest,
  }),
  codec("dapr.proto.scheduler.v1.ScheduleJobResponse", {
    decode: decodeScheduleJobResponse,
    encode: encodeScheduleJobResponse,
  }),
  codec("dapr.proto.scheduler.v1.WatchJobsRequest", {
    decode: decodeWatchJobsRequest,
    encode: encodeWatchJobsRequest,
  }),
  codec("dapr.proto.scheduler.v1.WatchJobsResponse", {
    decode: decodeWatchJobsResponse,
    encode: encodeWatchJobsResponse,
  }),
]);

/** A codec whose message type is forgotten: whoever looks it up by name knows it. */
function codec<T>(typeName: string, made: MessageCodec<T>): [string, MessageCodec<never>] {
  return [typeName, made as unknown as MessageCodec<never>];
}

const NO_BYTES = new Uint8Array(0);

function decodeEmpty(bytes: Uint8Array): Empty {
  if (bytes.length > 0) {
    const reader = new ProtoReader(bytes);
    while (reader.tag() !== 0) reader.skip();
  }
  return { $typeName: "google.protobuf.Empty" };
}

function encodeEmpty(): Uint8Array {
  return NO_BYTES;
}
