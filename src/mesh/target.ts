/** The app that a call is for. */
export interface InvocationTarget {
  readonly appId: string;
  readonly namespace: string;
}
