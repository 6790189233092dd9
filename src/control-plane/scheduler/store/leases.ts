/** Leases of a store: when one ends, by time or by hand, so do its keys. */
export interface Leases {
  /** @returns its number @throws KeyStoreError */
  grant(ttlS: number): Promise<number>;
  /** Makes it last its time from now on. @returns false when it has ended @throws KeyStoreError */
  keepAlive(id: number): Promise<boolean>;
  /** @throws KeyStoreError */
  revoke(id: number): Promise<void>;
}
