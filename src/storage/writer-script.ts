/** Where a thread's program is: a file, or its text where there are no files. */
export interface WorkerScript {
  readonly script: string | URL;
  readonly eval: boolean;
}

/** The writer's program. `scripts/build.ts` puts its text here, since the single executable has no file to start from. */
export const WRITER_SCRIPT: WorkerScript = { script: new URL("writer.ts", import.meta.url), eval: false };
