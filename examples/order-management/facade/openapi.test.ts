import { expect, it } from "vitest";
import { openApiOf } from "./openapi.ts";
import { ROUTES } from "./routes.ts";

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string }[];
  readonly requestBody?: object;
  readonly security?: readonly object[];
  readonly responses: Readonly<Record<string, object>>;
}

const document = JSON.parse(JSON.stringify(openApiOf(ROUTES))) as {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
};

it("describes every route, with its variables, its body and its key", () => {
  expect(document.openapi).toBe("3.1.0");
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
  expect(operations).toHaveLength(ROUTES.length);
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(ROUTES.length);
  for (const { path, method, body, writes, answers } of ROUTES) {
    const operation = document.paths[path]![method]!;
    const variables = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    expect((operation.parameters ?? []).map(({ name }) => name)).toEqual(variables);
    expect(operation.requestBody === undefined).toBe(body === undefined);
    expect(operation.security === undefined).toBe(!writes);
    expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining([...Object.keys(answers), "400", "503"]));
  }
});

it("refers to nothing that is not there, and uses every named schema", () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)];
  expect(new Set(references.map(([, name]) => name))).toEqual(new Set(Object.keys(document.components.schemas)));
});

it("is plain JSON Schema", () => {
  expect(document.components.schemas["OrderSummary"]).toMatchObject({
    type: "object",
    properties: { value: { type: "number" }, status: { type: "string", enum: expect.any(Array) as unknown } },
    required: ["id", "status", "value", "expiresAt"],
    additionalProperties: false,
  });
});
