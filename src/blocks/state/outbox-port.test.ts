import { expect, test } from "vitest";
import { isTruthy, outboxSettingsOf } from "./outbox-port.ts";

const BOTH = { outboxPublishPubsub: "p", outboxPublishTopic: "t" };

test("an outbox needs a broker and a topic", () => {
  expect(outboxSettingsOf({})).toBeUndefined();
  expect(outboxSettingsOf({ ...BOTH, outboxPublishTopic: "" })).toBeUndefined();
  expect(outboxSettingsOf({ ...BOTH, outboxPublishPubsub: "" })).toBeUndefined();
  expect(outboxSettingsOf(BOTH)).toEqual({
    publishPubsub: "p",
    publishTopic: "t",
    outboxPubsub: "p",
    discardWhenMissing: false,
  });
});

test("the topic in between may lie at another broker, and what is missing may be discarded", () => {
  expect(outboxSettingsOf({ ...BOTH, outboxPubsub: "o", outboxDiscardWhenMissingState: "Yes" })).toMatchObject({
    outboxPubsub: "o",
    discardWhenMissing: true,
  });
});

test("names match by case, as in Dapr", () => {
  expect(outboxSettingsOf({ outboxpublishpubsub: "p", outboxpublishtopic: "t" })).toBeUndefined();
});

test.each(["y", "YES", "true", "T", "on", "1", " true "])("%j is a yes", (text) => {
  expect(isTruthy(text)).toBe(true);
});

test.each(["", "false", "0", "truely", "enabled"])("%j is none", (text) => {
  expect(isTruthy(text)).toBe(false);
});
