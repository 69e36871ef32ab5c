/** The answer of `GET /` to programs: Cog's index, and the version of our API. */
export const apiIndex = {
  origami: { api: 1 },
  docs_url: '/openapi.json',
  openapi_url: '/openapi.json',
  healthcheck_url: '/health-check',
  schema_url: '/schema',
  predictions_url: '/predictions',
  predictions_idempotent_url: '/predictions/{prediction_id}',
  predictions_cancel_url: '/predictions/{prediction_id}/cancel',
  predictions_events_url: '/predictions/{prediction_id}/events',
} as const
