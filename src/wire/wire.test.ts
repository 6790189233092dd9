import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { fromBinary, isFieldSet } from "@bufbuild/protobuf";
import type { DescFile, DescMethod, DescService } from "@bufbuild/protobuf";
import { FieldDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type {
  DescriptorProto,
  EnumDescriptorProto,
  FieldDescriptorProto,
  FileDescriptorProto,
} from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const genRoot = join(import.meta.dirname, "gen");

/** What Dapr 1.18.3, gRPC and we ourselves have: how many RPCs, and which of them stream. */
const services: Record<string, { rpcs: number; streams: Record<string, DescMethod["methodKind"]> }> = {
  "dapr.proto.runtime.v1.Dapr": {
    rpcs: 72,
    streams: {
      SubscribeTopicEventsAlpha1: "bidi_streaming",
      SubscribeActorEventsAlpha1: "bidi_streaming",
      SubscribeConfiguration: "server_streaming",
      SubscribeConfigurationAlpha1: "server_streaming",
      EncryptAlpha1: "bidi_streaming",
      DecryptAlpha1: "bidi_streaming",
    },
  },
  "dapr.proto.runtime.v1.AppCallback": { rpcs: 7, streams: {} },
  "dapr.proto.runtime.v1.AppCallbackAlpha": { rpcs: 2, streams: {} },
  "dapr.proto.runtime.v1.AppCallbackHealthCheck": { rpcs: 1, streams: {} },
  "dapr.proto.components.v1.StateStore": { rpcs: 9, streams: {} },
  "dapr.proto.components.v1.TransactionalStateStore": { rpcs: 1, streams: {} },
  "dapr.proto.components.v1.TransactionalStoreMultiMaxSize": { rpcs: 1, streams: {} },
  "dapr.proto.components.v1.QueriableStateStore": { rpcs: 1, streams: {} },
  "dapr.proto.components.v1.PubSub": { rpcs: 8, streams: { PullMessages: "bidi_streaming" } },
  "dapr.proto.components.v1.InputBinding": { rpcs: 3, streams: { Read: "bidi_streaming" } },
  "dapr.proto.components.v1.OutputBinding": { rpcs: 4, streams: {} },
  "dapr.proto.components.v1.SecretStore": { rpcs: 5, streams: {} },
  "dapr.proto.internals.v1.ServiceInvocation": {
    rpcs: 5,
    streams: { CallLocalStream: "bidi_streaming", CallActorStream: "server_streaming" },
  },
  "outrigger.v1.About": { rpcs: 1, streams: {} },
  "outrigger.v1.State": { rpcs: 1, streams: {} },
  "dapr.proto.placement.v1.Placement": { rpcs: 1, streams: { ReportDaprStatus: "bidi_streaming" } },
  "dapr.proto.sentry.v1.CA": { rpcs: 1, streams: {} },
  "dapr.proto.scheduler.v1.Scheduler": {
    rpcs: 8,
    streams: { WatchJobs: "bidi_streaming", WatchHosts: "server_streaming" },
  },
  "etcdserverpb.Auth": { rpcs: 1, streams: {} },
  "etcdserverpb.Cluster": { rpcs: 1, streams: {} },
  "etcdserverpb.KV": { rpcs: 5, streams: {} },
  "etcdserverpb.Lease": { rpcs: 5, streams: { LeaseKeepAlive: "bidi_streaming" } },
  "etcdserverpb.Maintenance": { rpcs: 3, streams: {} },
  "etcdserverpb.Watch": { rpcs: 1, streams: { Watch: "bidi_streaming" } },
  "opentelemetry.proto.collector.trace.v1.TraceService": { rpcs: 1, streams: {} },
  "outrigger.placement.v1.Election": { rpcs: 1, streams: {} },
  "outrigger.placement.v1.Placement": { rpcs: 1, streams: { Follow: "bidi_streaming" } },
  "grpc.health.v1.Health": { rpcs: 3, streams: { Watch: "server_streaming" } },
  "grpc.reflection.v1.ServerReflection": {
    rpcs: 1,
    streams: { ServerReflectionInfo: "bidi_streaming" },
  },
  "grpc.reflection.v1alpha.ServerReflection": {
    rpcs: 1,
    streams: { ServerReflectionInfo: "bidi_streaming" },
  },
};

/** Declarations of `@dapr/dapr` in packages that we have, which come with a later protocol. */
const notYetOurs = ["message dapr.proto.internals.v1.JobEvent"];

/** Members that 1.18.3 declares otherwise than the older release in `@dapr/dapr`: this one became optional. */
const newerInOurs = ["message dapr.proto.runtime.v1.Job 6"];

const files: DescFile[] = [];
let scratch = "";

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "outrigger-wire-"));
  for (const path of filesBelow(genRoot).filter((name) => name.endsWith("_pb.js"))) {
    const module = (await import(join(genRoot, path))) as Record<string, unknown>;
    files.push(...Object.values(module).filter(isFile));
  }
});

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe("services", () => {
  test("there are exactly the known ones", () => {
    expect(
      allServices()
        .map((service) => service.typeName)
        .sort(),
    ).toEqual(Object.keys(services).sort());
  });

  test.each(Object.entries(services))("%s has its RPCs and their kinds", (name, expected) => {
    const service = allServices().find((candidate) => candidate.typeName === name);
    const methods = service?.methods ?? [];
    expect(methods).toHaveLength(expected.rpcs);
    const streams = methods.filter((method) => method.methodKind !== "unary");
    expect(Object.fromEntries(streams.map((method) => [method.name, method.methodKind]))).toEqual(expected.streams);
  });
});

test("a message lies in the file of the same path as its package", () => {
  for (const file of files) {
    expect(file.name).toMatch(new RegExp(`^${file.proto.package.replaceAll(".", "/")}/[a-z_]+$`));
  }
});

test("what npm's @dapr/dapr declares, we declare equally", { timeout: 30_000 }, () => {
  const image = join(scratch, "npm.binpb");
  run(join(root, "node_modules/@bufbuild/buf/bin/buf"), "build", "node_modules/@dapr/dapr/proto", "-o", image);
  const theirs = declarations(fromBinary(FileDescriptorSetSchema, readFileSync(image)).file);
  const ours = declarations(files.map((file) => file.proto));

  const packages = new Set(files.map((file) => file.proto.package));
  const missing = [...theirs].filter(([name, { pkg }]) => packages.has(pkg) && !ours.has(name)).map(([name]) => name);
  expect(missing).toEqual(notYetOurs);

  const shared = [...theirs].filter(([name]) => ours.has(name));
  expect(shared.length).toBeGreaterThan(190);
  const different = shared.flatMap(([name, { members }]) =>
    Object.entries(members)
      .filter(([key, facts]) => !isDeepStrictEqual(facts, ours.get(name)?.members[key]))
      .map(([key]) => `${name} ${key}`),
  );
  expect(different).toEqual(newerInOurs);
});

test("generating again changes nothing", { timeout: 30_000 }, () => {
  run(join(root, "scripts/generate-wire.mjs"), scratch);
  const again = join(scratch, relative(root, genRoot));
  expect(filesBelow(again)).toEqual(filesBelow(genRoot));
  for (const path of filesBelow(genRoot)) {
    expect(readFileSync(join(again, path), "utf8"), path).toBe(readFileSync(join(genRoot, path), "utf8"));
  }
});

function run(script: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(process.execPath, [script, ...args], {
    cwd: root,
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  expect(status).toBe(0);
}

function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

function isFile(value: unknown): value is DescFile {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "file";
}

function allServices(): DescService[] {
  return files.flatMap((file) => file.services);
}

interface Declaration {
  pkg: string;
  /** By what the wire goes by: field numbers, enum value names, RPC names. */
  members: Record<string, object>;
}

/** Every message, enum and service by kind and full name, whatever the order and the files. */
function declarations(protos: FileDescriptorProto[]): Map<string, Declaration> {
  const found = new Map<string, Declaration>();
  const addEnum = (pkg: string, scope: string, { name, value }: EnumDescriptorProto): void => {
    const members = Object.fromEntries(value.map((v) => [v.name, { number: v.number }]));
    found.set(`enum ${scope}.${name}`, { pkg, members });
  };
  const addMessage = (pkg: string, scope: string, message: DescriptorProto): void => {
    const name = `${scope}.${message.name}`;
    const members = Object.fromEntries(message.field.map((f) => [f.number, fieldFacts(f, message)]));
    found.set(`message ${name}`, { pkg, members });
    for (const nested of message.nestedType) addMessage(pkg, name, nested);
    for (const nested of message.enumType) addEnum(pkg, name, nested);
  };
  for (const proto of protos) {
    for (const message of proto.messageType) addMessage(proto.package, proto.package, message);
    for (const declared of proto.enumType) addEnum(proto.package, proto.package, declared);
    for (const { name, method } of proto.service) {
      const members = Object.fromEntries(
        method.map((m) => [m.name, [m.inputType, m.clientStreaming, m.outputType, m.serverStreaming]]),
      );
      found.set(`service ${proto.package}.${name}`, { pkg: proto.package, members });
    }
  }
  return found;
}

function fieldFacts(field: FieldDescriptorProto, message: DescriptorProto): object {
  const { name, jsonName, type, typeName, label, proto3Optional } = field;
  const inOneof = isFieldSet(field, FieldDescriptorProtoSchema.field.oneofIndex);
  const oneof = inOneof ? message.oneofDecl[field.oneofIndex]?.name : undefined;
  return { name, jsonName, type, typeName, label, proto3Optional, oneof };
}
