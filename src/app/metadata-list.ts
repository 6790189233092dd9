import type { Metadata } from "../net/grpc/types.ts";

/**
 * Metadata as the flat list that calls and replies carry: bytes as padded base64, with the content type that marks it as
 * gRPC's for every later hop.
 */
export function metadataList(metadata: Metadata | undefined): string[] {
  const list = ["content-type", "application/grpc"];
  if (metadata !== undefined) {
    list.push(...metadata.toList());
  }
  return list;
}
