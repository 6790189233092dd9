import type {
  ConcurrencyLimit,
  Job,
  ScheduleJobRequest,
  ScheduleJobResponse,
  WatchJobsRequest,
  WatchJobsRequestInitial,
  WatchJobsRequestResult,
  WatchJobsResponse,
} from "../gen/dapr/proto/scheduler/v1/scheduler_pb.js";
import { anyGuess, readAny, writeAny } from "./any-codec.ts";
import { metadataGuess, readJobPolicy, readMetadata, writeMetadata, writePolicy } from "./job-parts.ts";
import { ProtoReader } from "./proto-reader.ts";
import { ProtoWriter } from "./proto-writer.ts";

/** Bytes of tags, lengths and numbers in a message. */
const OVERHEAD_BYTES = 64;
const NO_BYTES = new Uint8Array(0);

export function encodeScheduleJobRequest({ name, job, metadata, overwrite }: ScheduleJobRequest): Uint8Array {
  const texts = name.length + (job?.schedule?.length ?? 0) + (job?.dueTime?.length ?? 0) + (job?.ttl?.length ?? 0);
  const writer = new ProtoWriter(texts * 3 + anyGuess(job?.data) + metadataGuess(metadata) + 2 * OVERHEAD_BYTES);
  writer.text(1, name);
  if (job !== undefined) writeJob(writer, 2, job);
  if (metadata !== undefined) writeMetadata(writer, 3, metadata);
  if (overwrite) writer.uint(4, 1);
  return writer.finish();
}

export function decodeScheduleJobRequest(bytes: Uint8Array): ScheduleJobRequest {
  const reader = new ProtoReader(bytes);
  const request: ScheduleJobRequest = {
    $typeName: "dapr.proto.scheduler.v1.ScheduleJobRequest",
    name: "",
    job: undefined,
    metadata: undefined,
    overwrite: false,
  };
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) request.name = reader.text();
    else if (tag === 0x12) request.job = readJob(reader, request.job);
    else if (tag === 0x1a) request.metadata = readMetadata(reader, request.metadata);
    else if (tag === 0x20) request.overwrite = reader.bool();
    else reader.skip();
  }
  return request;
}

export function decodeScheduleJobResponse(bytes: Uint8Array): ScheduleJobResponse {
  if (bytes.length > 0) {
    const reader = new ProtoReader(bytes);
    while (reader.tag() !== 0) reader.skip();
  }
  return { $typeName: "dapr.proto.scheduler.v1.ScheduleJobResponse" };
}

export function encodeScheduleJobResponse(): Uint8Array {
  return NO_BYTES;
}

export function encodeWatchJobsRequest({ watchJobRequestType: type }: WatchJobsRequest): Uint8Array {
  const writer = new ProtoWriter(OVERHEAD_BYTES);
  if (type.case === "initial") writeInitial(writer, 1, type.value);
  else if (type.case === "result") {
    const mark = writer.begin(2, 0);
    writer.int64(1, type.value.id);
    writer.int32(2, type.value.status);
    writer.end(mark);
  }
  return writer.finish();
}

export function decodeWatchJobsRequest(bytes: Uint8Array): WatchJobsRequest {
  const reader = new ProtoReader(bytes);
  let type: WatchJobsRequest["watchJobRequestType"] = { case: undefined, value: undefined };
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) {
      type = { case: "initial", value: readInitial(reader, type.case === "initial" ? type.value : undefined) };
    } else if (tag === 0x12) {
      type = { case: "result", value: readResult(reader, type.case === "result" ? type.value : undefined) };
    } else reader.skip();
  }
  return { $typeName: "dapr.proto.scheduler.v1.WatchJobsRequest", watchJobRequestType: type };
}

export function encodeWatchJobsResponse({ name, id, data, metadata }: WatchJobsResponse): Uint8Array {
  const writer = new ProtoWriter(name.length * 3 + anyGuess(data) + metadataGuess(metadata) + OVERHEAD_BYTES);
  writer.text(1, name);
  writer.int64(2, id);
  if (data !== undefined) writeAny(writer, 3, data);
  if (metadata !== undefined) writeMetadata(writer, 4, metadata);
  return writer.finish();
}

export function decodeWatchJobsResponse(bytes: Uint8Array): WatchJobsResponse {
  const reader = new ProtoReader(bytes);
  const response: WatchJobsResponse = {
    $typeName: "dapr.proto.scheduler.v1.WatchJobsResponse",
    name: "",
    id: 0n,
    data: undefined,
    metadata: undefined,
  };
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) response.name = reader.text();
    else if (tag === 0x10) response.id = reader.uint64();
    else if (tag === 0x1a) response.data = readAny(reader, response.data);
    else if (tag === 0x22) response.metadata = readMetadata(reader, response.metadata);
    else reader.skip();
  }
  return response;
}

function writeJob(writer: ProtoWriter, field: number, job: Job): void {
  const { schedule, repeats, dueTime, ttl, data, failurePolicy } = job;
  const mark = writer.begin(field, anyGuess(data));
  if (schedule !== undefined) writer.anyText(1, schedule);
  if (repeats === 0) writer.zero(2);
  else if (repeats !== undefined) writer.uint(2, repeats);
  if (dueTime !== undefined) writer.anyText(3, dueTime);
  if (ttl !== undefined) writer.anyText(4, ttl);
  if (data !== undefined) writeAny(writer, 5, data);
  if (failurePolicy !== undefined) writePolicy(writer, 6, failurePolicy);
  writer.end(mark);
}

function readJob(reader: ProtoReader, before: Job | undefined): Job {
  const job: Job = before ?? {
    $typeName: "dapr.proto.scheduler.v1.Job",
    schedule: undefined,
    repeats: undefined,
    dueTime: undefined,
    ttl: undefined,
    data: undefined,
    failurePolicy: undefined,
  };
  const outer = reader.enter();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) job.schedule = reader.text();
    else if (tag === 0x10) job.repeats = reader.int32() >>> 0;
    else if (tag === 0x1a) job.dueTime = reader.text();
    else if (tag === 0x22) job.ttl = reader.text();
    else if (tag === 0x2a) job.data = readAny(reader, job.data);
    else if (tag === 0x32) job.failurePolicy = readJobPolicy(reader, job.failurePolicy);
    else reader.skip();
  }
  reader.leave(outer);
  return job;
}

function readResult(reader: ProtoReader, before: WatchJobsRequestResult | undefined): WatchJobsRequestResult {
  let id = before?.id ?? 0n;
  let status: number = before?.status ?? 0;
  const outer = reader.enter();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x08) id = reader.uint64();
    else if (tag === 0x10) status = reader.int32();
    else reader.skip();
  }
  reader.leave(outer);
  return { $typeName: "dapr.proto.scheduler.v1.WatchJobsRequestResult", id, status };
}

function writeInitial(writer: ProtoWriter, field: number, initial: WatchJobsRequestInitial): void {
  const mark = writer.begin(field, 0);
  writer.text(1, initial.appId);
  writer.text(2, initial.namespace);
  for (const type of initial.actorTypes) writer.anyText(3, type);
  if (initial.acceptJobTypes.length > 0) {
    const list = writer.begin(4, initial.acceptJobTypes.length);
    for (const type of initial.acceptJobTypes) writer.element(type);
    writer.end(list);
  }
  for (const { maxConcurrent, name, target } of initial.concurrencyLimits) {
    const limit = writer.begin(5, 0);
    writer.int32(1, maxConcurrent);
    if (name !== undefined) writer.anyText(2, name);
    if (target.case === "actor") {
      const actor = writer.begin(3, 0);
      writer.text(1, target.value.type);
      writer.end(actor);
    }
    writer.end(limit);
  }
  writer.end(mark);
}

function readInitial(reader: ProtoReader, before: WatchJobsRequestInitial | undefined): WatchJobsRequestInitial {
  const initial: WatchJobsRequestInitial = before ?? {
    $typeName: "dapr.proto.scheduler.v1.WatchJobsRequestInitial",
    appId: "",
    namespace: "",
    actorTypes: [],
    acceptJobTypes: [],
    concurrencyLimits: [],
  };
  const outer = reader.enter();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    switch (tag) {
      case 0x0a:
        initial.appId = reader.text();
        break;
      case 0x12:
        initial.namespace = reader.text();
        break;
      case 0x1a:
        initial.actorTypes.push(reader.text());
        break;
      case 0x20:
        initial.acceptJobTypes.push(reader.int32());
        break;
      case 0x22: {
        const all = reader.enter();
        while (!reader.isAtEnd) initial.acceptJobTypes.push(reader.int32());
        reader.leave(all);
        break;
      }
      case 0x2a:
        initial.concurrencyLimits.push(readLimit(reader));
        break;
      default:
        reader.skip();
    }
  }
  reader.leave(outer);
  return initial;
}

function readLimit(reader: ProtoReader): ConcurrencyLimit {
  const limit: ConcurrencyLimit = {
    $typeName: "dapr.proto.scheduler.v1.ConcurrencyLimit",
    maxConcurrent: 0,
    name: undefined,
    target: { case: undefined, value: undefined },
  };
  const outer = reader.enter();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x08) limit.maxConcurrent = reader.int32();
    else if (tag === 0x12) limit.name = reader.text();
    else if (tag === 0x1a) {
      let type = limit.target.case === "actor" ? limit.target.value.type : "";
      const inner = reader.enter();
      for (let one = reader.tag(); one !== 0; one = reader.tag()) {
        if (one === 0x0a) type = reader.text();
        else reader.skip();
      }
      reader.leave(inner);
      const value = { $typeName: "dapr.proto.scheduler.v1.ConcurrencyLimitActor", type } as const;
      limit.target = { case: "actor", value };
    } else reader.skip();
  }
  reader.leave(outer);
  return limit;
}
