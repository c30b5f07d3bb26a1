// What is counted, as Prometheus reads it.

const requests = new Map<string, number>();

export function countRequest(route: string, status: number): void {
  const labels = `route="${route}",status="${status}"`;
  requests.set(labels, (requests.get(labels) ?? 0) + 1);
}

export function metricsText(): string {
  const lines = [...requests].map(([labels, n]) => `ww_bank_requests_total{${labels}} ${n}\n`);
  return `# HELP ww_bank_requests_total Requests, by route and status.\n# TYPE ww_bank_requests_total counter\n${lines.join('')}`;
}
