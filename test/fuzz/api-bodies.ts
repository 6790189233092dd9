/** Bodies that are right, by the name of the route they are for: fuzzing starts from them as often as from nothing. */
export const VALID_BODIES: Readonly<Record<string, readonly unknown[]>> = {
  SaveState: [
    [
      { key: "key-1", value: { total: 1 }, etag: "1", options: { concurrency: "first-write", consistency: "strong" } },
      { key: "key-2", value: "text", metadata: { ttlInSeconds: "60" } },
    ],
  ],
  GetBulkState: [{ keys: ["key-1", "key-2"], parallelism: 2, metadata: { partitionKey: "a" } }],
  ExecuteStateTransaction: [
    {
      operations: [
        { operation: "upsert", request: { key: "key-1", value: 1 } },
        { operation: "delete", request: { key: "key-2", etag: "1" } },
      ],
      metadata: { partitionKey: "a" },
    },
  ],
  QueryStateAlpha1: [
    {
      filter: { AND: [{ EQ: { total: 1 } }, { IN: { kind: ["a", "b"] } }] },
      sort: [{ key: "total", order: "DESC" }],
      page: { limit: 2, token: "1" },
    },
  ],
  PublishEvent: [
    { specversion: "1.0", id: "1", source: "me", type: "t", datacontenttype: "application/json", data: { a: 1 } },
    { total: 1e300 },
    "text",
  ],
  BulkPublishEvent: [
    [
      { entryId: "1", event: { a: 1 }, contentType: "application/json", metadata: { ttlInSeconds: "1" } },
      { entryId: "2", event: "text", contentType: "text/plain" },
    ],
  ],
  InvokeBinding: [{ operation: "create", data: { a: 1 }, metadata: { fileName: "a.txt" } }],
  TryLock: [{ resourceId: "a", lockOwner: "me", expiryInSeconds: 5 }],
  Unlock: [{ resourceId: "a", lockOwner: "me" }],
  ScheduleJob: [
    { schedule: "@every 1h", data: { a: 1 }, overwrite: true },
    { dueTime: "1h", repeats: 2, ttl: "2h", failurePolicy: { constant: { interval: "1s", maxRetries: 1 } } },
  ],
  Converse: [
    { inputs: [{ content: "hello", scrubPII: true }] },
    {
      inputs: [{ messages: [{ ofUser: { content: [{ text: "hello" }] } }], scrubPii: true }],
      tools: [{ function: { name: "weather", parameters: { type: "object", properties: { at: {} } } } }],
      toolChoice: "auto",
    },
  ],
};
