import { describe, expect, test } from "vitest";
import { ComponentError } from "../spi/errors.ts";
import type { StateFilter, StateQuery } from "../spi/state-query.ts";
import type { RedisArgument, RedisReply } from "./client.ts";
import { parseQueryIndexes } from "./query-index.ts";
import { createIndexes, search, searchOf } from "./state-search.ts";

const INDEXES = parseQueryIndexes(
  '[{"name":"i","indexes":[{"key":"org","type":"TEXT"},{"key":"n","type":"NUMERIC"}]}]',
);
const INDEX = INDEXES.get("i")!;

const queryOf = (rest: Partial<StateQuery> = {}): StateQuery => ({
  filter: undefined,
  writtenFilter: {},
  sort: [],
  pageLimit: 0,
  pageToken: "",
  ...rest,
});

const eq = (key: string, value: unknown): StateFilter => ({ operator: "EQ", key, value });

/** A server with scripted replies; it stands for RediSearch, which this machine's Redis need not have. */
function server(...replies: readonly (RedisReply | Error)[]) {
  const sent: string[] = [];
  let next = 0;
  const send = async (args: readonly RedisArgument[]): Promise<RedisReply> => {
    sent.push(args.join(" "));
    const reply = replies[next++] ?? "OK";
    if (reply instanceof Error) {
      throw reply;
    }
    return reply;
  };
  return { sent, connection: { send } };
}

describe("a filter as RediSearch reads it", () => {
  test.each<[StateFilter, string]>([
    [eq("org", "Dev Ops"), "@var0:(Dev Ops)"],
    [eq("n", 10), "@var1:[10.000000 10.000000]"],
    [{ operator: "NEQ", key: "org", value: "A" }, "-(@var0:(A))"],
    [{ operator: "GT", key: "n", value: 1.5 }, "@var1:[(1.500000 +inf]"],
    [{ operator: "GTE", key: "n", value: 1 }, "@var1:[1.000000 +inf]"],
    [{ operator: "LT", key: "n", value: 1 }, "@var1:[-inf (1.000000]"],
    [{ operator: "LTE", key: "n", value: -1 }, "@var1:[-inf -1.000000]"],
    [{ operator: "IN", key: "org", values: ["A", "B"] }, "@var0:(A|B)"],
    [{ operator: "IN", key: "n", values: [1, 2] }, "((@var1:[1.000000 1.000000])|(@var1:[2.000000 2.000000]))"],
    [
      {
        operator: "AND",
        filters: [eq("org", "A"), { operator: "OR", filters: [eq("n", 1), { operator: "NEQ", key: "n", value: 2 }] }],
      },
      "((@var0:(A)) ((@var1:[1.000000 1.000000])|-(@var1:[2.000000 2.000000])))",
    ],
  ])("%j", (filter, expression) => {
    expect(searchOf("i", INDEX, queryOf({ filter })).command[2]).toBe(expression);
  });

  test.each<[Partial<StateQuery>, string]>([
    [{ filter: eq("other", 1) }, 'JSON path "other" is not indexed'],
    [{ filter: { operator: "GT", key: "n", value: "x" } }, "unsupported type of value x; string type not permitted"],
    [{ filter: eq("n", true) }, "unsupported type of value true; only strings and numbers are permitted"],
    [{ filter: { operator: "IN", key: "n", values: [1] } }, 'too few values in IN operator for key "n"'],
    [
      {
        sort: [
          { key: "n", order: "ASC" },
          { key: "org", order: "ASC" },
        ],
      },
      "multiple SORTBY steps are not allowed. Sort multiple fields in a single step",
    ],
    [{ pageLimit: 2, pageToken: "x" }, 'strconv.ParseInt: parsing "x": invalid syntax'],
  ])("%j is refused", (query, reason) => {
    expect(() => searchOf("i", INDEX, queryOf(query))).toThrow(reason);
  });
});

test("a page is sorted, and its token names where the next one begins", async () => {
  const item = [Buffer.from("$.data"), Buffer.from('{"n":1}'), Buffer.from("$.version"), Buffer.from("7")];
  const { sent, connection } = server([9, Buffer.from("app||a"), item, Buffer.from("app||b"), [Buffer.from("$.data")]]);
  const query = queryOf({ sort: [{ key: "n", order: "DESC" }], pageLimit: 2, pageToken: "4" });
  const result = await search(connection, INDEXES, { query, metadata: { queryIndexName: "i" } });
  expect(sent).toEqual(["FT.SEARCH i * SORTBY var1 DESC LIMIT 4 2 RETURN 2 $.data $.version"]);
  expect(result.token).toBe("6");
  expect(result.items).toMatchObject([
    { key: "app||a", data: Buffer.from('{"n":1}'), etag: "7" },
    { key: "app||b", error: "the document has no $.data and $.version" },
  ]);
});

test("a query must name an index that there is", async () => {
  const { connection } = server();
  await expect(search(connection, INDEXES, { query: queryOf(), metadata: {} })).rejects.toThrow(
    "query index not found",
  );
  await expect(search(connection, INDEXES, { query: queryOf(), metadata: { queryIndexName: "x" } })).rejects.toThrow(
    'query index schema "x" not found',
  );
});

describe("indexes are made at the start", () => {
  test("anew where they are there already", async () => {
    const { sent, connection } = server(new ComponentError("invalidRequest", "Index already exists"));
    await createIndexes(connection, INDEXES);
    expect(sent).toEqual([INDEX.create.join(" "), "FT.DROPINDEX i", INDEX.create.join(" ")]);
  });

  test("or the store does not come up", async () => {
    const { connection } = server(new ComponentError("invalidRequest", "ERR unknown command 'FT.CREATE'"));
    await expect(createIndexes(connection, INDEXES)).rejects.toThrow(
      "redis store: error registering query schemas: ERR unknown command 'FT.CREATE'",
    );
  });
});
