import { circlesOf } from "./circles-of.ts";
import { file, type Rule } from "./rule.ts";
import { importsOf, isTestCode, type SourceFile } from "./source.ts";

function isRoom(path: string): boolean {
  return (
    /^(src|bench|scripts|examples)\/.*\.(ts|mjs)$/.test(path) && !path.startsWith("src/wire/gen/") && !isTestCode(path)
  );
}

/** Who imports whom, for its values or its types, when it is loaded. */
function graphOf(files: readonly SourceFile[]): ReadonlyMap<string, readonly string[]> {
  const rooms = files.filter(({ path }) => isRoom(path));
  const known = new Set(rooms.map(({ path }) => path));
  return new Map(
    rooms.map((room) => [
      room.path,
      importsOf(room)
        .filter(({ to, onFirstUse }) => !onFirstUse && known.has(to))
        .map(({ to }) => to),
    ]),
  );
}

export const circleRules: readonly Rule[] = [
  {
    name: "no files import each other in a circle, not for types either",
    check: (files) => circlesOf(graphOf(files)).map((circle) => circle.join(" imports ")),
    broken: [
      [file("src/net/a.ts", 'import { b } from "./b.ts";'), file("src/net/b.ts", 'import type { A } from "./a.ts";')],
      [
        file("bench/a.ts", 'import { b } from "./b.ts";'),
        file("bench/b.ts", 'export { c } from "./c.ts";'),
        file("bench/c.ts", 'import { a } from "./a.ts";'),
      ],
    ],
    kept: [
      file("src/net/a.ts", 'import { b } from "./b.ts";\nimport { c } from "./c.ts";'),
      file("src/net/b.ts", 'import { c } from "./c.ts";\nconst a = () => import("./a.ts");'),
      file("src/net/c.ts", 'import { readFile } from "node:fs";'),
      file("src/net/c.test.ts", 'import { a } from "./a.ts";'),
    ],
  },
];
