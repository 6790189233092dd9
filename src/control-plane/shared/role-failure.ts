/** How a role tells that it cannot go on after its start: `fail` rejects `failed`, which whoever runs the role looks at. */
export interface RoleFailure {
  readonly failed: Promise<never>;
  fail(error: unknown): void;
}

/** Nobody has to look at it before the start is over. */
export function createRoleFailure(): RoleFailure {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  return { failed: promise, fail: reject };
}
