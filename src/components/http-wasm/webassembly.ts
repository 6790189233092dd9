/** A compiled module; it can be sent to threads. */
export interface WasmModule {
  readonly [Symbol.toStringTag]: "WebAssembly.Module";
}

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

interface Description {
  readonly module: string;
  readonly name: string;
  readonly kind: string;
}

/** As much of the WebAssembly JavaScript API as is used here; TypeScript keeps its types with those of browsers. */
interface WebAssemblyApi {
  compile(bytes: Uint8Array): Promise<WasmModule>;
  readonly Module: {
    imports(module: WasmModule): readonly Description[];
    exports(module: WasmModule): readonly Omit<Description, "module">[];
  };
  readonly Instance: new (
    module: WasmModule,
    imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  ) => { readonly exports: unknown };
}

export const webAssembly = (globalThis as unknown as { readonly WebAssembly: WebAssemblyApi }).WebAssembly;
