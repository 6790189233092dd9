import { describe, expect, it } from "vitest";
import { decodeActorOperations, decodeTick } from "./actor-messages.ts";
import { JsonBodyError } from "./json-decoder.ts";

const operations = (text: string) =>
  decodeActorOperations(Buffer.from(text)).map((operation) =>
    operation.kind === "upsert" ? { ...operation, value: Buffer.from(operation.value).toString() } : operation,
  );
const tick = (text: string) => {
  const { data, ...rest } = decodeTick(Buffer.from(text));
  return { ...rest, data: data && Buffer.from(data).toString() };
};

describe("state operations", () => {
  it("keep values as the bytes that came", () => {
    expect(
      operations(
        '[{"operation":"upsert","request":{"key":"k","value": { "b" : 1.50 },"etag":"1","metadata":{"ttlInSeconds":"5"}}},{"operation":"delete","request":{"key":"k"}}]',
      ),
    ).toEqual([
      {
        kind: "upsert",
        key: "k",
        value: '{ "b" : 1.50 }',
        valueIsJson: true,
        etag: "1",
        metadata: { ttlInSeconds: "5" },
      },
      { kind: "delete", key: "k", etag: undefined },
    ]);
  });

  it("know their members in any case and order, and pass over others", () => {
    expect(operations('[{"more":[{}],"Request":{"VALUE":2,"Key":"k"},"OPERATION":"upsert"}]')).toMatchObject([
      { kind: "upsert", key: "k", value: "2" },
    ]);
  });

  it("save null where no value came", () => {
    expect(operations('[{"operation":"upsert","request":{"key":"k"}}]')).toMatchObject([{ value: "null" }]);
  });

  it.each([
    ['[{"operation":"upsert"}]', "request data is empty"],
    ['[{"operation":"upsert","request":null}]', "request data is empty"],
    ['[{"request":{"key":"k"}}]', "operation is empty"],
    ['[{"operation":"move","request":{"key":"k"}}]', "operation type move not supported"],
  ])("%s is told by the block", (text, reason) => expect(operations(text)).toEqual([{ kind: "invalid", reason }]));

  it.each(["", "{}", "[1]", '[{"operation":1}]', '[{"operation":"upsert","request":[]}]', "[{]"])(
    "%j is no body",
    (text) => expect(() => operations(text)).toThrow(JsonBodyError),
  );

  it("may be none", () => expect([operations("[]"), operations("null")]).toEqual([[], []]));
});

describe("timers", () => {
  it("have all their members from the body", () => {
    expect(tick('{"dueTime":"1s","period":"2s","ttl":"3s","callback":"cb","data":{"a": 1}}')).toEqual({
      dueTime: "1s",
      period: "2s",
      ttl: "3s",
      callback: "cb",
      data: '{"a": 1}',
    });
  });

  it("have none of them in an empty object", () => {
    expect(tick("{}")).toEqual({ dueTime: "", period: "", ttl: "", callback: "", data: undefined });
  });

  it.each(["[]", '{"dueTime":5}', "{"])("%j is no body", (text) => expect(() => tick(text)).toThrow(JsonBodyError));
});
