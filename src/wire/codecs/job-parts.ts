import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";
import type { JobFailurePolicy } from "../gen/dapr/proto/common/v1/common_pb.js";
import type { FailurePolicy } from "../gen/cron/stored_pb.js";
import type {
  JobMetadata,
  JobTargetMetadata,
  TargetActorReminder,
  TargetJob,
} from "../gen/dapr/proto/scheduler/v1/scheduler_pb.js";
import { ProtoReader } from "./proto-reader.ts";
import { ProtoWriter } from "./proto-writer.ts";

/** Bytes of all tags and lengths of a job's metadata. */
const METADATA_OVERHEAD_BYTES = 32;

interface PolicyNames<Drop extends string, Constant extends string> {
  readonly drop: Drop;
  readonly constant: Constant;
}

const JOB_POLICY_NAMES = {
  drop: "dapr.proto.common.v1.JobFailurePolicyDrop",
  constant: "dapr.proto.common.v1.JobFailurePolicyConstant",
} as const;
type JobNames = typeof JOB_POLICY_NAMES;

const STORED_POLICY_NAMES = { drop: "cron.FailurePolicyDrop", constant: "cron.FailurePolicyConstant" } as const;
type StoredNames = typeof STORED_POLICY_NAMES;

type PolicyFields<Drop extends string, Constant extends string> =
  | { value: { readonly $typeName: Drop }; case: "drop" }
  | { value: ConstantFields<Constant>; case: "constant" }
  | { case: undefined; value?: undefined };

interface ConstantFields<Name extends string> {
  readonly $typeName: Name;
  interval?: Duration | undefined;
  maxRetries?: number | undefined;
}

/** How many bytes metadata takes at most. */
export function metadataGuess(metadata: JobMetadata | undefined): number {
  if (metadata === undefined) return 0;
  const { appId, namespace, concurrencyKey = "", target } = metadata;
  const texts = appId.length + namespace.length + concurrencyKey.length;
  const actor = target?.type.case === "actor" ? target.type.value.id.length + target.type.value.type.length : 0;
  return (texts + actor) * 3 + METADATA_OVERHEAD_BYTES;
}

export function encodeJobMetadata(metadata: JobMetadata): Uint8Array {
  const writer = new ProtoWriter(metadataGuess(metadata));
  writeMetadataFields(writer, metadata);
  return writer.finish();
}

export function decodeJobMetadata(bytes: Uint8Array): JobMetadata {
  const metadata = newMetadata();
  readMetadataFields(new ProtoReader(bytes), metadata);
  return metadata;
}

export function writeMetadata(writer: ProtoWriter, field: number, metadata: JobMetadata): void {
  const mark = writer.begin(field, 0);
  writeMetadataFields(writer, metadata);
  writer.end(mark);
}

/** @param before the same field earlier in the message: it is merged with it, as all protobuf decoders do */
export function readMetadata(reader: ProtoReader, before: JobMetadata | undefined): JobMetadata {
  const metadata = before ?? newMetadata();
  const outer = reader.enter();
  readMetadataFields(reader, metadata);
  reader.leave(outer);
  return metadata;
}

function newMetadata(): JobMetadata {
  return {
    $typeName: "dapr.proto.scheduler.v1.JobMetadata",
    appId: "",
    namespace: "",
    target: undefined,
    concurrencyKey: undefined,
  };
}

function writeMetadataFields(writer: ProtoWriter, metadata: JobMetadata): void {
  const { appId, namespace, target, concurrencyKey } = metadata;
  writer.text(1, appId);
  writer.text(2, namespace);
  if (target !== undefined) {
    const mark = writer.begin(3, 0);
    if (target.type.case === "job") writer.end(writer.begin(1, 0));
    else if (target.type.case === "actor") {
      const actor = writer.begin(2, 0);
      writer.text(1, target.type.value.id);
      writer.text(2, target.type.value.type);
      writer.end(actor);
    }
    writer.end(mark);
  }
  if (concurrencyKey !== undefined) writer.anyText(4, concurrencyKey);
}

function readMetadataFields(reader: ProtoReader, metadata: JobMetadata): void {
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) metadata.appId = reader.text();
    else if (tag === 0x12) metadata.namespace = reader.text();
    else if (tag === 0x1a) metadata.target = readTarget(reader, metadata.target);
    else if (tag === 0x22) metadata.concurrencyKey = reader.text();
    else reader.skip();
  }
}

function readTarget(reader: ProtoReader, before: JobTargetMetadata | undefined): JobTargetMetadata {
  let type: JobTargetMetadata["type"] = before?.type ?? { case: undefined, value: undefined };
  const outer = reader.enter();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) {
      readNothing(reader);
      const value: TargetJob = { $typeName: "dapr.proto.scheduler.v1.TargetJob" };
      type = { case: "job", value };
    } else if (tag === 0x12) {
      type = { case: "actor", value: readActor(reader, type.case === "actor" ? type.value : undefined) };
    } else reader.skip();
  }
  reader.leave(outer);
  return { $typeName: "dapr.proto.scheduler.v1.JobTargetMetadata", type };
}

function readActor(reader: ProtoReader, before: TargetActorReminder | undefined): TargetActorReminder {
  let id = before?.id ?? "";
  let type = before?.type ?? "";
  const outer = reader.enter();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) id = reader.text();
    else if (tag === 0x12) type = reader.text();
    else reader.skip();
  }
  reader.leave(outer);
  return { $typeName: "dapr.proto.scheduler.v1.TargetActorReminder", id, type };
}

/** The policy of a job as it is asked for, or as it is stored: they differ only in their names. */
export function writePolicy(writer: ProtoWriter, field: number, { policy }: JobFailurePolicy | FailurePolicy): void {
  const mark = writer.begin(field, 0);
  if (policy.case === "drop") writer.end(writer.begin(1, 0));
  else if (policy.case === "constant") {
    const constant = writer.begin(2, 0);
    const { interval, maxRetries } = policy.value;
    if (interval !== undefined) writeTime(writer, 1, interval);
    if (maxRetries === 0) writer.zero(2);
    else if (maxRetries !== undefined) writer.uint(2, maxRetries);
    writer.end(constant);
  }
  writer.end(mark);
}

export function readJobPolicy(reader: ProtoReader, before: JobFailurePolicy | undefined): JobFailurePolicy {
  const policy: JobFailurePolicy["policy"] = before?.policy ?? { case: undefined, value: undefined };
  return {
    $typeName: "dapr.proto.common.v1.JobFailurePolicy",
    policy: readPolicyFields<JobNames["drop"], JobNames["constant"]>(reader, policy, JOB_POLICY_NAMES),
  };
}

export function readStoredPolicy(reader: ProtoReader, before: FailurePolicy | undefined): FailurePolicy {
  const policy: FailurePolicy["policy"] = before?.policy ?? { case: undefined, value: undefined };
  return {
    $typeName: "cron.FailurePolicy",
    policy: readPolicyFields<StoredNames["drop"], StoredNames["constant"]>(reader, policy, STORED_POLICY_NAMES),
  };
}

function readPolicyFields<Drop extends string, Constant extends string>(
  reader: ProtoReader,
  before: PolicyFields<Drop, Constant>,
  { drop, constant }: PolicyNames<Drop, Constant>,
): PolicyFields<Drop, Constant> {
  let policy = before;
  const outer = reader.enter();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) {
      readNothing(reader);
      policy = { case: "drop", value: { $typeName: drop } };
    } else if (tag === 0x12) {
      const value: ConstantFields<Constant> = policy.case === "constant" ? policy.value : { $typeName: constant };
      readConstant(reader, value);
      policy = { case: "constant", value };
    } else reader.skip();
  }
  reader.leave(outer);
  return policy;
}

function readConstant(reader: ProtoReader, into: ConstantFields<string>): void {
  const outer = reader.enter();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) into.interval = readDuration(reader, into.interval);
    else if (tag === 0x10) into.maxRetries = reader.int32() >>> 0;
    else reader.skip();
  }
  reader.leave(outer);
}

/** A timestamp or duration. */
export function writeTime(writer: ProtoWriter, field: number, time: Pick<Timestamp, "seconds" | "nanos">): void {
  const mark = writer.begin(field, 0);
  writer.int64(1, time.seconds);
  writer.int32(2, time.nanos);
  writer.end(mark);
}

export function readTimestamp(reader: ProtoReader, before: Timestamp | undefined): Timestamp {
  const time: Timestamp = before ?? { $typeName: "google.protobuf.Timestamp", seconds: 0n, nanos: 0 };
  readTimeFields(reader, time);
  return time;
}

function readDuration(reader: ProtoReader, before: Duration | undefined): Duration {
  const time: Duration = before ?? { $typeName: "google.protobuf.Duration", seconds: 0n, nanos: 0 };
  readTimeFields(reader, time);
  return time;
}

function readTimeFields(reader: ProtoReader, into: { seconds: bigint; nanos: number }): void {
  const outer = reader.enter();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x08) into.seconds = reader.int64();
    else if (tag === 0x10) into.nanos = reader.int32();
    else reader.skip();
  }
  reader.leave(outer);
}

/** A message without fields. */
function readNothing(reader: ProtoReader): void {
  const outer = reader.enter();
  while (reader.tag() !== 0) reader.skip();
  reader.leave(outer);
}
