/** Where something was written; line counts from 1. */
export interface WrittenAt {
  readonly file: string;
  readonly line: number;
}

/** `spec.accessControl` of a Configuration, with Dapr's defaults for what was not written. */
export interface AccessControlDocument {
  /** Empty where it was written as empty, which denies. */
  readonly defaultAction: string;
  readonly trustDomain: string;
  readonly policies: readonly AccessPolicyDocument[];
}

/** What one calling app may do. */
export interface AccessPolicyDocument {
  readonly appId: string;
  /** Empty: the list's own. */
  readonly defaultAction: string;
  readonly trustDomain: string;
  readonly namespace: string;
  readonly operations: readonly AccessOperationDocument[];
  readonly origin: WrittenAt;
}

export interface AccessOperationDocument {
  /** A path, with or without a leading slash, in which `*` stands for what it does in {@link OperationTrie}. */
  readonly name: string;
  /** As written; `*` for those that are not listed. */
  readonly httpVerbs: readonly string[];
  readonly action: string;
  readonly origin: WrittenAt;
}
