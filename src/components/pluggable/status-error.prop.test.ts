import fc from "fast-check";
import { expect, test } from "vitest";
import type { GrpcStatusCode } from "../../errors/grpc-status.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import { bulkDeleteError, transactionError } from "./status-error.ts";

test("whatever bytes a component sends as details, the error is a ComponentError", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 16 }), fc.uint8Array({ maxLength: 200 }), (code, detailsBin) => {
      const error = new GrpcError(code as GrpcStatusCode, "no", { detailsBin });
      expect(bulkDeleteError(error)).toMatchObject({ name: "ComponentError" });
      expect(transactionError(error)).toMatchObject({ name: "ComponentError" });
    }),
  );
});
