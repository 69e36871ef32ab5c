/** What `origami.yaml` says where a load comes from one address: every limit that throttles is out of its way. */
export const unthrottled = `limits:
  requests: 100000000
  open_requests_per_address: 1000000
  open_requests: 1000000
  connections_per_address: 1000000
  connections: 1000000
  visitors: 100000000
  waiting: 1000000
  waiting_per_visitor: 1000000
  waiting_per_address: 1000000
  running: 64
  running_per_demo: 1
  file: 200m
`
