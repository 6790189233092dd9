/** How a trigger ended, in the words of go-etcd-cron, which log lines carry. */
export type TriggerResult = "SUCCESS" | "FAILED" | "UNDELIVERABLE";
