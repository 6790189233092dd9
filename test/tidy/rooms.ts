import { circlesOf } from "./circles-of.ts";
import { file, type Rule } from "./rule.ts";
import { importsOf, isOurSource, isTestCode, type Import, type SourceFile } from "./source.ts";

/** The rooms from left to right: a room may import its own files and every tier to its left. */
const tiers: readonly (readonly string[])[] = [
  ["kit", "wire", "errors"],
  ["net", "storage"],
  ["kubernetes"],
  ["telemetry", "security", "resiliency", "components/spi"],
  ["resources"],
  ["inventory"],
  ["app"],
  ["mesh", "scheduling"],
  ["blocks"],
  ["api"],
  ["sidecar", "control-plane"],
  ["embed", "dev", "testing", "explain"],
  ["doctor"],
  ["dashboard/server"],
  ["cli"],
  ["main.ts"],
];

/** What a back end may import beside its own folder. */
const componentDiet = ["components/spi", "kit", "errors", "wire", "net", "storage", "kubernetes"];

/** Who may import a back end, and nothing of it but its manifests. */
const compositionRoots = ["sidecar", "embed", "dev", "testing"];

const manifestName = /\/([a-z0-9-]+-)?manifest\.ts$/;

/** The room of a path, `components/<back end>` included; undefined outside src/. */
function roomOf(path: string): string | undefined {
  const [top, first, second] = path.split("/");
  if (top !== "src" || first === undefined) return undefined;
  return first === "components" || first === "dashboard" ? `${first}/${second}` : first;
}

function tierOf(room: string): number {
  return tiers.findIndex((tier) => tier.includes(room));
}

function isBackEnd(room: string): boolean {
  return room.startsWith("components/") && room !== "components/spi";
}

/** Why an import crosses a wall, or undefined when it may stand. */
function objection(one: Import): string | undefined {
  const from = roomOf(one.from);
  const to = roomOf(one.to);
  if (from === undefined || to === undefined) return undefined;
  if (from === to) return undefined;
  if (isBackEnd(from)) {
    return componentDiet.includes(to) ? undefined : `a back end may import ${componentDiet.join(", ")}, not ${to}`;
  }
  if (isBackEnd(to)) {
    if (!compositionRoots.includes(from)) return `only ${compositionRoots.join(", ")} may import back ends`;
    return manifestName.test(one.to) ? undefined : "of a back end only its manifests may be imported";
  }
  if (tierOf(from) === -1) return `${from} is not in the table of rooms`;
  if (tierOf(to) === -1) return `${to} is not in the table of rooms`;
  return tierOf(to) < tierOf(from) ? undefined : `${from} does not stand to the right of ${to}`;
}

function crossings(files: readonly SourceFile[], concerns: (one: Import) => boolean): string[] {
  return files
    .filter(({ path }) => isOurSource(path) && !isTestCode(path))
    .flatMap((source) => importsOf(source))
    .filter(concerns)
    .flatMap((one) => {
      const why = objection(one);
      return why === undefined ? [] : [`${one.from}:${one.line} imports ${one.to}: ${why}`];
    });
}

function touchesBackEnd(one: Import): boolean {
  return isBackEnd(roomOf(one.from) ?? "") || isBackEnd(roomOf(one.to) ?? "");
}

/** The folders of a room as a graph: which of them import which. */
function foldersOf(room: string, files: readonly SourceFile[]): Map<string, Set<string>> {
  const graph = new Map<string, Set<string>>();
  const folder = (path: string): string | undefined =>
    path.startsWith(`src/${room}/`) && path.split("/").length > 3 ? path.split("/")[2] : undefined;
  for (const one of files.filter(({ path }) => isOurSource(path) && !isTestCode(path)).flatMap(importsOf)) {
    const [from, to] = [folder(one.from), folder(one.to)];
    if (from === undefined || to === undefined || from === to) continue;
    graph.set(from, (graph.get(from) ?? new Set()).add(to));
  }
  return graph;
}

export const roomRules: readonly Rule[] = [
  {
    name: "a room imports only rooms to its left",
    check: (files) => crossings(files, (one) => !touchesBackEnd(one)),
    broken: [
      [file("src/kit/a.ts", 'import { b } from "../net/b.ts";')],
      [file("src/blocks/state/a.ts", 'import type { Door } from "../../api/http/door.ts";')],
      [file("src/net/a.ts", 'import {\n  b,\n} from "../storage/b.ts";')],
      [file("src/resources/a.ts", 'const load = () => import("../inventory/b.ts");')],
      [file("src/attic/a.ts", 'import { b } from "../kit/b.ts";')],
      [file("src/app/a.ts", 'export { b } from "../mesh/b.ts";')],
      [file("src/components/spi/a.ts", 'import { b } from "../../resources/b.ts";')],
    ],
    kept: [
      file("src/api/http/a.ts", 'import { b } from "../../blocks/state/b.ts";\nimport { c } from "./c.ts";'),
      file("src/blocks/a.test.ts", 'import { b } from "../api/b.ts";'),
      file("src/main.ts", 'import { run } from "./cli/run.ts";'),
    ],
  },
  {
    name: "a back end imports its contracts and its tools; composition roots import its manifests",
    check: (files) => crossings(files, touchesBackEnd),
    broken: [
      [file("src/components/redis/a.ts", 'import { b } from "../sqlite/b.ts";')],
      [file("src/components/redis/a.ts", 'import { b } from "../../telemetry/b.ts";')],
      [file("src/blocks/state/a.ts", 'import { m } from "../../components/redis/manifest.ts";')],
      [file("src/sidecar/a.ts", 'import { s } from "../components/redis/store.ts";')],
    ],
    kept: [
      file("src/components/redis/a.ts", 'import { b } from "../spi/state.ts";\nimport { c } from "./c.ts";'),
      file("src/components/redis/b.ts", 'import { b } from "../../kit/clock.ts";'),
      file("src/sidecar/a.ts", 'import { m } from "../components/redis/state-manifest.ts";'),
    ],
  },
  {
    name: "the blocks, the doors and the roles of the control plane have an order without cycles",
    check: (files) =>
      ["blocks", "api"].flatMap((room) =>
        circlesOf(foldersOf(room, files)).map((circle) => `src/${room}: ${circle.join(" imports ")}`),
      ),
    broken: [
      [
        file("src/blocks/state/a.ts", 'import { b } from "../pubsub/b.ts";'),
        file("src/blocks/pubsub/b.ts", 'import { c } from "../actors/c.ts";'),
        file("src/blocks/actors/c.ts", 'import { a } from "../state/d.ts";'),
      ],
    ],
    kept: [
      file("src/blocks/pubsub/b.ts", 'import { c } from "../state/c.ts";'),
      file("src/blocks/actors/b.ts", 'import { c } from "../state/c.ts";'),
    ],
  },
  {
    name: "roles of the control plane never import each other",
    check: (files) =>
      [...foldersOf("control-plane", files)].flatMap(([from, targets]) =>
        [...targets].filter((to) => to !== "shared").map((to) => `src/control-plane/${from} imports ${to}`),
      ),
    broken: [
      [file("src/control-plane/placement/a.ts", 'import { b } from "../sentry/b.ts";')],
      [file("src/control-plane/shared/a.ts", 'import { b } from "../sentry/b.ts";')],
    ],
    kept: [
      file("src/control-plane/placement/a.ts", 'import { b } from "./b.ts";\nimport { c } from "../shared/c.ts";'),
    ],
  },
];
