/**
 * Makes a function that gives free memory of the C allocator back to the system: glibc's `malloc_trim(0)` (malloc_trim(3)).
 * Bodies of some megabytes leave its heap full of holes that it keeps, and V8 does not know of them. Undefined where Node
 * has no FFI or the C library no such function.
 */
export function allocatorTrimmer(): (() => void) | undefined {
  try {
    const ffi = process.getBuiltinModule("node:ffi");
    const { functions } = ffi.dlopen(null, { malloc_trim: { arguments: ["uint64"], return: "int32" } });
    return () => void functions.malloc_trim(0n);
  } catch {
    return undefined;
  }
}
