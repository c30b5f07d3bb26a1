// What `/ops` tells each second. Numbers are absolute, from the start of an edge, which has another id each time.

export interface Latency {
  count: number;
  sumUs: number;
  /** Bucket i: below 64 * 2^i microseconds, and not below the one before; the last has no bound. */
  buckets: number[];
}

export interface Edge {
  id: string;
  name: string;
  address: string;
  state: 'up' | 'draining' | 'silent';
  uptimeS: number;
  residentBytes: number;
  sockets: number;
  polling: number;
  users: number;
  queueBytes: number;
  loopLagUs: number;
  eventsIn: number;
  eventsOut: number;
  bytesOut: number;
  closes: Record<string, number>;
  refusals: Record<string, number>;
  recoveries: Record<string, number>;
  latency: Latency;
}

export interface Service {
  name: string;
  state: 'up' | 'silent';
  instance: string;
  uptimeS: number;
  residentBytes: number;
  requests: number;
  failures: number;
}

export interface OpsStats {
  at: string;
  edges: Edge[];
  edgesLeftOut: number;
  services: Service[];
  streams: { name: string; waiting: number }[];
}
