/** A resource of kind Resiliency as it is written: durations, codes, expressions and policy names are text. */
export interface ResiliencyDocument {
  readonly name: string;
  readonly namespace: string;
  readonly timeouts: ReadonlyMap<string, string>;
  readonly retries: ReadonlyMap<string, RetryDocument>;
  readonly circuitBreakers: ReadonlyMap<string, CircuitBreakerDocument>;
  readonly targets: {
    readonly apps: ReadonlyMap<string, AppTargetDocument>;
    readonly actors: ReadonlyMap<string, ActorTargetDocument>;
    readonly components: ReadonlyMap<string, ComponentTargetDocument>;
  };
}

export interface RetryDocument {
  readonly policy: string | undefined;
  readonly duration: string | undefined;
  readonly maxInterval: string | undefined;
  readonly maxRetries: number | undefined;
  readonly matching:
    | { readonly httpStatusCodes: string | undefined; readonly gRPCStatusCodes: string | undefined }
    | undefined;
}

export interface CircuitBreakerDocument {
  readonly maxRequests: number | undefined;
  readonly interval: string | undefined;
  readonly timeout: string | undefined;
  readonly trip: string | undefined;
}

/** Names of policies; undefined or empty: none. */
export interface PolicyNames {
  readonly timeout: string | undefined;
  readonly retry: string | undefined;
  readonly circuitBreaker: string | undefined;
}

export interface AppTargetDocument extends PolicyNames {
  readonly circuitBreakerCacheSize: number | undefined;
}

export interface ActorTargetDocument extends AppTargetDocument {
  readonly circuitBreakerScope: string | undefined;
}

export interface ComponentTargetDocument {
  readonly inbound: PolicyNames | undefined;
  readonly outbound: PolicyNames | undefined;
}
