// Preloaded into a sidecar under `--expose-gc`: collects on SIGUSR2, so that its memory can be compared between moments.
process.on("SIGUSR2", () => {
  globalThis.gc();
  globalThis.gc();
});
