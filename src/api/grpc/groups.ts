/** Which group of `spec.api` each served method of `dapr.proto.runtime.v1.Dapr` belongs to, as `<group>.<version>`. */
export const METHOD_GROUPS: Readonly<Record<string, string>> = {
  InvokeService: "invoke.v1",
  GetState: "state.v1",
  GetBulkState: "state.v1",
  SaveState: "state.v1",
  DeleteState: "state.v1",
  DeleteBulkState: "state.v1",
  ExecuteStateTransaction: "state.v1",
  QueryStateAlpha1: "state.v1alpha1",
  PublishEvent: "publish.v1",
  BulkPublishEvent: "publish.v1",
  BulkPublishEventAlpha1: "publish.v1alpha1",
  GetMetadata: "metadata.v1",
  SetMetadata: "metadata.v1",
  Shutdown: "shutdown.v1",
};
