/** Values the server makes for itself once and keeps for ever, with the records that rest on them. */
export interface ServerValues {
  /** The value of that name. Of any number of first calls, on any number of nodes, one makes it, and all are given the same. */
  findOrMake(name: 'pairwise_salt' | 'status_list_secret', make: () => string): Promise<string>;
}
