import { z } from "zod";
import { invoiceSchema } from "../model/invoice.ts";
import { API_KEY_HEADER } from "../model/names.ts";
import { orderRecordSchema, orderSummarySchema } from "../model/order.ts";
import { errorBodySchema } from "../model/rest.ts";
import type { Route } from "./route.ts";

/** Schemas that stand in the document once, under a name. */
const NAMED = {
  Invoice: invoiceSchema,
  Order: orderRecordSchema,
  OrderSummary: orderSummarySchema,
  Error: errorBodySchema,
} as const satisfies Record<string, z.ZodType>;

const ERRORS = {
  400: "The request is not as it should be",
  401: "The key is missing or wrong",
  404: "There is no such thing",
  409: "It cannot be done as things are",
  500: "A fault of the façade",
  503: "A service behind the façade is away: try again",
} as const;

/** The document at `/openapi.json`, OpenAPI 3.1, from the table of routes. */
export function openApiOf(routes: readonly Route[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method] = operationOf(route);
  return {
    openapi: "3.1.0",
    info: {
      title: "Order management",
      version: "1.0.0",
      description: "Every write may be repeated with the same ids: it does nothing the second time.",
    },
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(NAMED).map(([name, schema]) => [name, jsonSchemaOf(schema)])),
      securitySchemes: { apiKey: { type: "apiKey", in: "header", name: API_KEY_HEADER } },
    },
  };
}

function operationOf({ operationId, summary, writes, params, body, answers, errors }: Route): object {
  const usual = [400, ...(writes ? ([401] as const) : []), 500, 503] as const;
  const responses: Record<string, object> = {};
  for (const status of [...usual, ...errors]) responses[status] = responseOf(ERRORS[status], errorBodySchema);
  for (const [status, [description, schema]] of Object.entries(answers)) {
    responses[status] = responseOf(description, status === "409" ? z.union([schema, errorBodySchema]) : schema);
  }
  return {
    operationId,
    summary,
    ...(writes ? { security: [{ apiKey: [] }] } : {}),
    ...(params === undefined ? {} : { parameters: parametersOf(params) }),
    ...(body === undefined ? {} : { requestBody: { required: true, content: contentOf(body) } }),
    responses,
  };
}

function parametersOf(params: z.ZodObject): object[] {
  return Object.entries<z.ZodType>(params.shape as Record<string, z.ZodType>).map(([name, schema]) => {
    return { name, in: "path", required: true, schema: jsonSchemaOf(schema) };
  });
}

function responseOf(description: string, schema: z.ZodType): object {
  return { description, content: contentOf(schema) };
}

function contentOf(schema: z.ZodType): object {
  return { "application/json": { schema: referenceTo(schema) ?? jsonSchemaOf(schema) } };
}

/** OpenAPI 3.1 takes JSON Schema as it is; named schemas that it contains become references. */
function jsonSchemaOf(root: z.ZodType): object {
  const schema = z.toJSONSchema(root, {
    io: "input",
    override({ zodSchema, jsonSchema }) {
      const schema: unknown = zodSchema;
      const reference = schema === root ? undefined : referenceTo(schema);
      if (reference === undefined) return;
      for (const name of Object.keys(jsonSchema)) Reflect.deleteProperty(jsonSchema, name);
      Object.assign(jsonSchema, reference);
    },
  });
  delete schema.$schema;
  return schema;
}

function referenceTo(schema: unknown): { $ref: string } | undefined {
  const named = Object.entries(NAMED).find(([, one]) => one === schema);
  return named && { $ref: `#/components/schemas/${named[0]}` };
}
