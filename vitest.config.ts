import { defineConfig } from "vitest/config";

/** One project per ring of `npm test`: the folder says the ring, the ring says how long a test may take. */
function ring(name: string, include: readonly string[], timeoutMs: number, exclude: readonly string[] = []) {
  return {
    test: {
      name,
      include: [...include],
      exclude: ["**/node_modules/**", "dist/**", ...exclude],
      setupFiles: ["test/scratch-folder.ts"],
      testTimeout: timeoutMs,
      hookTimeout: timeoutMs,
      retry: 0,
      passWithNoTests: true,
    },
  };
}

function oneByOne(project: ReturnType<typeof ring>) {
  return { test: { ...project.test, fileParallelism: false } };
}

function seeded(project: ReturnType<typeof ring>) {
  return { test: { ...project.test, setupFiles: [...project.test.setupFiles, "test/property-seed.ts"] } };
}

export default defineConfig({
  test: {
    passWithNoTests: true,
    projects: [
      ring("unit", ["src/**/*.test.ts", "examples/**/*.test.ts"], 30_000, ["**/*.prop.test.ts"]),
      seeded(ring("property", ["src/**/*.prop.test.ts", "examples/**/*.prop.test.ts"], 60_000)),
      ring("conformance", ["test/conformance/**/*.test.ts"], 60_000),
      ring("integration", ["test/integration/**/*.test.ts"], 60_000),
      // One file after the other: its bounds are times and processor time.
      oneByOne(ring("attacks", ["test/attacks/**/*.test.ts"], 60_000)),
      ring("crash", ["test/crash/**/*.test.ts", "test/chaos/**/*.test.ts"], 120_000),
      ring("simulation", ["test/simulation/**/*.test.ts"], 120_000),
      ring("compat", ["test/compat/**/*.test.ts"], 120_000),
      ring("examples", ["test/examples/**/*.test.ts"], 120_000),
      ring("tidy", ["test/tidy.test.ts", "test/lint.test.ts", "test/start-path.test.ts"], 30_000),
      ring(
        "docs",
        [
          "test/docs.test.ts",
          "test/reference.test.ts",
          "test/metrics-reference.test.ts",
          "test/dashboards.test.ts",
          "test/collector-files.test.ts",
        ],
        120_000,
      ),
      ring("interop", ["test/interop/**/*.test.ts"], 120_000),
      ring("executable", ["test/executable/**/*.test.ts"], 60_000),
    ],
  },
});
