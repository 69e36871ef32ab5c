/** Cog's five statuses. `starting` means stored and waiting for its turn. */
export const predictionStatuses = ['starting', 'processing', 'succeeded', 'failed', 'canceled'] as const
export type PredictionStatus = (typeof predictionStatuses)[number]
/** The statuses of a prediction that has ended. */
export type EndStatus = Exclude<PredictionStatus, 'starting' | 'processing'>
export const isTerminal = (status: PredictionStatus): status is EndStatus =>
  status === 'succeeded' || status === 'failed' || status === 'canceled'
