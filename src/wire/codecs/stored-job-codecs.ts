import type { JobSpec, StoredCounter, StoredJob } from "../gen/cron/stored_pb.js";
import { anyGuess, readAny, writeAny } from "./any-codec.ts";
import { readStoredPolicy, readTimestamp, writePolicy, writeTime } from "./job-parts.ts";
import { ProtoReader } from "./proto-reader.ts";
import { ProtoWriter } from "./proto-writer.ts";

/** Bytes of tags, lengths, times and numbers in a stored job. */
const JOB_OVERHEAD_BYTES = 128;
const COUNTER_BYTES_MAX = 64;

export function encodeStoredJob({ partitionId, begin, expiration, job }: StoredJob): Uint8Array {
  const texts = (job?.schedule?.length ?? 0) + (job?.dueTime?.length ?? 0) + (job?.ttl?.length ?? 0);
  const data = anyGuess(job?.metadata) + anyGuess(job?.payload);
  const writer = new ProtoWriter(texts * 3 + data + JOB_OVERHEAD_BYTES);
  writer.int64(1, partitionId);
  if (begin.case === "start") writeTime(writer, 2, begin.value);
  else if (begin.case === "dueTime") writeTime(writer, 3, begin.value);
  if (expiration !== undefined) writeTime(writer, 4, expiration);
  if (job !== undefined) writeSpec(writer, 5, job, texts + data);
  return writer.finish();
}

export function decodeStoredJob(bytes: Uint8Array): StoredJob {
  const reader = new ProtoReader(bytes);
  const stored: StoredJob = {
    $typeName: "cron.StoredJob",
    partitionId: 0n,
    begin: { case: undefined, value: undefined },
    expiration: undefined,
    job: undefined,
  };
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    const { begin } = stored;
    if (tag === 0x08) stored.partitionId = reader.uint64();
    else if (tag === 0x12) {
      stored.begin = { case: "start", value: readTimestamp(reader, begin.case === "start" ? begin.value : undefined) };
    } else if (tag === 0x1a) {
      const before = begin.case === "dueTime" ? begin.value : undefined;
      stored.begin = { case: "dueTime", value: readTimestamp(reader, before) };
    } else if (tag === 0x22) stored.expiration = readTimestamp(reader, stored.expiration);
    else if (tag === 0x2a) stored.job = readSpec(reader, stored.job);
    else reader.skip();
  }
  return stored;
}

export function encodeStoredCounter(counter: StoredCounter): Uint8Array {
  const { jobPartitionId, count, lastTrigger, attempts } = counter;
  const writer = new ProtoWriter(COUNTER_BYTES_MAX);
  writer.int64(1, jobPartitionId);
  writer.uint(2, count);
  if (lastTrigger !== undefined) writeTime(writer, 3, lastTrigger);
  writer.uint(4, attempts);
  return writer.finish();
}

export function decodeStoredCounter(bytes: Uint8Array): StoredCounter {
  const reader = new ProtoReader(bytes);
  const counter: StoredCounter = {
    $typeName: "cron.StoredCounter",
    jobPartitionId: 0n,
    count: 0,
    lastTrigger: undefined,
    attempts: 0,
  };
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x08) counter.jobPartitionId = reader.uint64();
    else if (tag === 0x10) counter.count = reader.int32() >>> 0;
    else if (tag === 0x1a) counter.lastTrigger = readTimestamp(reader, counter.lastTrigger);
    else if (tag === 0x20) counter.attempts = reader.int32() >>> 0;
    else reader.skip();
  }
  return counter;
}

function writeSpec(writer: ProtoWriter, field: number, spec: JobSpec, guessBytes: number): void {
  const { schedule, dueTime, ttl, repeats, metadata, payload, failurePolicy } = spec;
  const mark = writer.begin(field, guessBytes);
  if (schedule !== undefined) writer.anyText(1, schedule);
  if (dueTime !== undefined) writer.anyText(2, dueTime);
  if (ttl !== undefined) writer.anyText(3, ttl);
  if (repeats === 0) writer.zero(4);
  else if (repeats !== undefined) writer.uint(4, repeats);
  if (metadata !== undefined) writeAny(writer, 5, metadata);
  if (payload !== undefined) writeAny(writer, 6, payload);
  if (failurePolicy !== undefined) writePolicy(writer, 7, failurePolicy);
  writer.end(mark);
}

function readSpec(reader: ProtoReader, before: JobSpec | undefined): JobSpec {
  const spec: JobSpec = before ?? {
    $typeName: "cron.JobSpec",
    schedule: undefined,
    dueTime: undefined,
    ttl: undefined,
    repeats: undefined,
    metadata: undefined,
    payload: undefined,
    failurePolicy: undefined,
  };
  const outer = reader.enter();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) spec.schedule = reader.text();
    else if (tag === 0x12) spec.dueTime = reader.text();
    else if (tag === 0x1a) spec.ttl = reader.text();
    else if (tag === 0x20) spec.repeats = reader.int32() >>> 0;
    else if (tag === 0x2a) spec.metadata = readAny(reader, spec.metadata);
    else if (tag === 0x32) spec.payload = readAny(reader, spec.payload);
    else if (tag === 0x3a) spec.failurePolicy = readStoredPolicy(reader, spec.failurePolicy);
    else reader.skip();
  }
  reader.leave(outer);
  return spec;
}
