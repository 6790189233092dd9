/** Where an API server is and with what it is asked. Certificates and keys are PEM. */
export interface ClusterAccess {
  /** Its origin: `https://10.0.0.1:443`. */
  readonly server: string;
  /** Before every path; empty or with a leading slash. */
  readonly basePath: string;
  /** Empty: the system's authorities. */
  readonly ca: string;
  /** Whose certificate it must show, where that is not the server's host. */
  readonly serverName: string | undefined;
  readonly skipsVerification: boolean;
  readonly clientCertificate: string;
  readonly clientKey: string;
  readonly token: string;
  /** A file with a token that changes; goes before `token`. */
  readonly tokenFile: string;
  readonly basic: { readonly username: string; readonly password: string } | undefined;
  /** Of the pod or the kubeconfig's context. */
  readonly namespace: string;
}
