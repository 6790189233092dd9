import { describe, expect, it } from "vitest";
import { circleRules } from "./tidy/circles.ts";
import { layoutRules } from "./tidy/layout.ts";
import { packageRules } from "./tidy/packages.ts";
import { ringRules } from "./tidy/rings.ts";
import { roomRules } from "./tidy/rooms.ts";
import { repositoryFiles } from "./tidy/source.ts";
import { textRules } from "./tidy/text.ts";

const repository = repositoryFiles();

for (const rule of [...roomRules, ...circleRules, ...packageRules, ...textRules, ...layoutRules, ...ringRules]) {
  describe(rule.name, () => {
    it("holds in this repository", () => {
      expect(rule.check(repository)).toEqual([]);
    });
    it.each(rule.broken.map((files) => [files.map(({ path }) => path).join(" + "), files] as const))(
      "would object to %s",
      (_, files) => {
        expect(rule.check(files)).not.toEqual([]);
      },
    );
    it("lets stand what keeps it", () => {
      expect(rule.check(rule.kept)).toEqual([]);
    });
  });
}

it("sees the whole repository", () => {
  const paths = repository.map(({ path }) => path);
  expect(paths).toEqual(expect.arrayContaining(["package.json", "src/kit/clock.ts", "test/tidy.test.ts"]));
});
